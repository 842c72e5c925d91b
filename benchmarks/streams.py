"""Two thousand dashboards at once: `python -m benchmarks.streams` (or `make streams`).

Subscribers of 20 tenants follow progress while 50 events a second are published; measured is the time from the begin of
an event's publication until a subscriber has it, over Kafka, the notifier's fold, Postgres, Kafka again and SSE. In the
second half one subscriber in ten takes nothing more. Exits with 1 unless 99 of 100 deliveries take under a second, with
and without those.
"""

import argparse
import asyncio
import sys
from contextlib import AsyncExitStack

from benchmarks.crowd import Crowd, listening, send
from benchmarks.place import fresh_place
from stack.opening import open_stack
from stack.settings import StackSettings
from worker.settings import Settings
from worker.tokens import DEMO_KEY, Tokens

LIMIT_SECONDS = 1.0
SETTLE_SECONDS = 15.0


async def main(options: argparse.Namespace) -> int:
    stack = StackSettings.from_environment()
    tenants = [f"practice-{number}" for number in range(options.tenants)]
    each = options.subscribers // options.tenants
    async with AsyncExitStack() as parts:
        addresses = await parts.enter_async_context(open_stack(stack, "make streams", print))
        place = await parts.enter_async_context(fresh_place(addresses, stack.folder))
        notifier = await parts.enter_async_context(place.service("notifier"))
        tokens = Tokens(DEMO_KEY)
        crowd = Crowd(tenants)
        await parts.enter_async_context(listening(crowd, notifier.address, tokens, each))
        print(f"{crowd.listening} subscribers of {len(tenants)} tenants, {options.rate:g} events/s")
        before = await measured(crowd, place.settings, each, options, "all of them read")
        deaf = Crowd(tenants)
        await parts.enter_async_context(listening(deaf, notifier.address, tokens, each // 10, deaf=True))
        after = await measured(
            crowd, place.settings, each, options, f"and {deaf.listening} that take nothing"
        )
        lost = crowd.lost  # at the end everybody leaves
        print(f"notifier: {notifier.cpu_seconds():.1f} s of CPU, {lost} connections lost")
    return 0 if max(before, after) < LIMIT_SECONDS and not lost else 1


async def measured(
    crowd: Crowd, settings: Settings, each: int, options: argparse.Namespace, who: str
) -> float:
    """The time within which 99 of 100 deliveries of another round were made."""
    crowd.seconds.clear()
    await send(crowd, settings, events := int(options.rate * options.seconds), options.rate)
    try:
        async with asyncio.timeout(SETTLE_SECONDS):
            while len(crowd.seconds) < events * each:  # noqa: ASYNC110 - deliveries set no event
                await asyncio.sleep(0.05)
    except TimeoutError:
        print(f"  {who}: only {len(crowd.seconds)} of {events * each} deliveries were made")
        return float("inf")
    p50, p99, worst = (crowd.percentile(share) for share in (0.5, 0.99, 1))
    print(
        f"  {who}: {len(crowd.seconds)} deliveries, p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, "
        f"worst {worst * 1000:.0f} ms"
    )
    return p99


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--subscribers", type=int, default=2000)
    parser.add_argument("--tenants", type=int, default=20)
    parser.add_argument("--rate", type=float, default=50, help="events a second")
    parser.add_argument("--seconds", type=float, default=30, help="of each round")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(parsed())))
