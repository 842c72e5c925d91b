"""What `muster up` leaves running: the owner of a stack that others share.

It ends when it is told to, when one of its servers has ended, and when somebody has deleted its folder.
"""

import asyncio
import contextlib
import signal
import sys

from stack.answers import both_listen
from stack.errors import StackError
from stack.opening import UP, own_stack
from stack.settings import StackSettings

LOOKS_EVERY = 2.0
"""Seconds between looks at the folder and the servers."""


def main() -> int:
    try:
        asyncio.run(serve(StackSettings.from_environment()))
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


async def serve(settings: StackSettings) -> None:
    """Own a stack for as long as there is reason to."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with own_stack(settings, UP, tell) as (addresses, claim):
        while not stopping.is_set() and not claim.lost and await both_listen(addresses):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), LOOKS_EVERY)


def tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
