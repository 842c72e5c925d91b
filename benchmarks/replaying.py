"""What a replay costs: `python -m benchmarks.replaying`.

First a lost database: an empty one, and the time until the topics have brought the tables back. Then a replay beside a
resolver that decides live commands, and a reader that looks all the time: how long the swap held up each of them.
"""

import argparse
import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
from rich.console import Console

from benchmarks.backbone import fill
from benchmarks.latency import to_the_row
from benchmarks.place import Place, fresh_place
from stack.opening import open_stack
from stack.settings import StackSettings

console = Console(width=110)
LOOK_EVERY_SECONDS = 0.005
COMMANDS_AT_ONCE = 200


@dataclass
class Longest:
    """The longest that a reader waited for its answer, and a command for its row, in seconds."""

    read: float = 0.0
    command: float = 0.0


def main() -> None:
    """Read the arguments, measure, say what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--tenants", type=int, default=500)
    asked = parser.parse_args()
    asyncio.run(measure(asked.records, asked.tenants))


async def measure(records: int, tenants: int) -> None:
    """Both, in one run."""
    stack = StackSettings.from_environment()
    async with AsyncExitStack() as parts:
        addresses = await parts.enter_async_context(open_stack(stack, "benchmark", console.print))
        place = await parts.enter_async_context(fresh_place(addresses, stack.folder))
        published = await fill(place, records, tenants)
        began = time.monotonic()
        restored = await _replay(place, "--swap")
        _say(f"lost database, {published:,} records", restored, time.monotonic() - began)
        await parts.enter_async_context(place.service("resolver"))
        longest = Longest()
        began = time.monotonic()
        async with _looking(place, longest), _deciding(place, longest):
            beside = await _replay(place, "--anew", "--swap")
        _say("beside live traffic", beside, time.monotonic() - began)
        console.print(
            f"longest wait of a reader {longest.read * 1000:,.0f} ms, of a command for its row {longest.command:.2f} s"
        )


async def _replay(place: Place, *words: str) -> Any:
    variables = {
        "MUSTER_KAFKA": place.settings.kafka,
        "MUSTER_POSTGRES_DSN": place.dsn,
        "MUSTER_TOPIC_PREFIX": place.settings.topic_prefix,
    }
    process = await asyncio.create_subprocess_exec(
        "muster",
        "replay",
        *words,
        "--json",
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | variables,
    )
    said, _ = await process.communicate()
    answer = json.loads(said)
    if process.returncode:
        raise SystemExit(f"muster replay ended with {process.returncode}: {answer}")
    return answer


@asynccontextmanager
async def _looking(place: Place, longest: Longest) -> AsyncIterator[None]:
    """A reader of one practice's items looks while inside."""
    over = asyncio.Event()

    async def look() -> None:
        database = await asyncpg.connect(place.dsn, server_settings={"role": "muster_reader"})
        while not over.is_set():
            began = time.monotonic()
            async with database.transaction(readonly=True):
                await database.execute("SELECT set_config('muster.tenant_id', 'tenant-1', true)")
                await database.fetchval("SELECT count(*) FROM resolver.items")
            longest.read = max(longest.read, time.monotonic() - began)
            await asyncio.sleep(LOOK_EVERY_SECONDS)
        await database.close()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(look())
        yield
        over.set()


@asynccontextmanager
async def _deciding(place: Place, longest: Longest) -> AsyncIterator[None]:
    """Commands are published and waited for, one at a time, while inside."""
    over = asyncio.Event()

    async def decide() -> None:
        turn = 0
        while not over.is_set():
            turn += 1
            longest.command = max(longest.command, *await to_the_row(place, COMMANDS_AT_ONCE, f"turn-{turn}"))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(decide())
        yield
        over.set()


def _say(what: str, answer: Any, seconds: float) -> None:
    folded, swap = answer["folded"], answer["swap"]
    console.print(
        f"{what}: {seconds:.1f} s, of which folding {folded['records']:,} records {folded['seconds']:.1f} s; "
        f"at the swap the resolver waited {swap['resolver_seconds'] * 1000:,.0f} ms, "
        f"readers {swap['readers_seconds'] * 1000:,.0f} ms"
    )


if __name__ == "__main__":
    main()
