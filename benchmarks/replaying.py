"""What a replay costs: `python -m benchmarks.replaying`.

A journal is published and worked off by a resolver, as it would have been over the years. Then the database is lost: an
empty one, the time until the topics have brought the tables back, and whether their checksums are those of before. Then
a replay beside a resolver that decides live commands, and a reader that looks all the time: how long the swap held up
each of them.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from rich.console import Console
from rich.table import Table

from benchmarks.filling import fill
from benchmarks.latency import to_the_row
from benchmarks.place import Place, emptied, fresh_place
from services.resolver.replaying.comparing import checksums
from stack.opening import open_stack
from stack.settings import StackSettings

console = Console(width=110)
LOOK_EVERY_SECONDS = 0.005
TELL_EVERY_SECONDS = 10.0
COMMANDS_AT_ONCE = 200


@dataclass(slots=True)
class Longest:
    """The longest that a reader waited for its answer, and a command for its row, in seconds."""

    read: float = 0.0
    command: float = 0.0


@dataclass(frozen=True, slots=True)
class Replayed:
    """One `muster replay --swap`. Seconds; `phases` are those of the command, without its start and the report."""

    records: int
    rows: int
    seconds: float
    resolver_waited: float
    readers_waited: float
    phases: Mapping[str, float]

    @property
    def records_per_second(self) -> float:
        return self.records / self.phases["folding"]

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.phases["folding"]


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured. `items` is how many rows the items' table has; the longest waits are beside live traffic."""

    records: int
    items: int
    filling_seconds: float
    draining_seconds: float
    lost_database: Replayed
    checksums_equal: bool
    beside_traffic: Replayed
    longest_read: float
    longest_command: float
    tables: Mapping[str, int] = field(default_factory=dict)


def main() -> None:
    """Read the arguments, measure, say what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--tenants", type=int, default=500)
    asked = parser.parse_args()
    found = asyncio.run(_measure_here(asked.records, asked.tenants))
    _print(found)
    if not found.checksums_equal:
        raise SystemExit("The tables that came back are not those of before.")


async def _measure_here(records: int, tenants: int) -> Figures:
    stack = StackSettings.from_environment()
    async with (
        open_stack(stack, "benchmark", console.print) as addresses,
        fresh_place(addresses, stack.folder) as place,
    ):
        return await measure(place, records, tenants)


async def measure(place: Place, records: int, tenants: int) -> Figures:
    """All of it, on the topics of a fresh place; says how it goes."""
    began = time.monotonic()
    _tell(f"publishing {records:,} records")
    published = (await fill(place, records, tenants)).records
    filled = time.monotonic()
    _tell(
        f"published {published:,} records at {published / (filled - began):,.0f}/s; a resolver works them off"
    )
    async with place.service("resolver"):
        await _worked_off(place, published)
    drained = time.monotonic()
    _tell("the database is lost: an empty one, and the topics")
    async with AsyncExitStack() as parts:
        before = await _checksums(place, "resolver_g1")
        there = await parts.enter_async_context(emptied(place))
        lost = await _replay(there, "--swap")
        after = await _checksums(there, "resolver_g2")
        _tell("a replay beside live traffic")
        await parts.enter_async_context(there.service("resolver"))
        longest = Longest()
        async with _looking(there, longest), _deciding(there, longest):
            beside = await _replay(there, "--anew", "--swap")
    return Figures(
        published,
        before["items"][0],
        filled - began,
        drained - filled,
        lost,
        before == after,
        beside,
        longest.read,
        longest.command,
        {table: rows for table, (rows, _) in before.items()},
    )


async def _worked_off(place: Place, records: int) -> None:
    database = await asyncpg.connect(place.dsn)
    told = began = time.monotonic()
    try:
        while (done := await database.fetchval(_APPLIED)) < records:
            if time.monotonic() - told > TELL_EVERY_SECONDS:
                told = time.monotonic()
                _tell(f"  {done:,} of {records:,} records, {done / (told - began):,.0f}/s")
            await asyncio.sleep(0.1)
    finally:
        await database.close()


async def _checksums(place: Place, schema: str) -> dict[str, tuple[int, str]]:
    database = await asyncpg.connect(place.dsn)
    try:
        return await checksums(database, schema)
    finally:
        await database.close()


async def _replay(place: Place, *words: str) -> Replayed:
    """Run the command; what it says meanwhile goes to standard error, as for a person."""
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("muster"),
        "replay",
        *words,
        "--json",
        "--examples",
        "0",
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | place.variables(),
    )
    said, _ = await process.communicate()
    seconds = time.monotonic() - began
    if process.returncode:
        raise SystemExit(f"muster replay ended with {process.returncode}: {said.decode()}")
    answer: Any = json.loads(said)
    swap = answer["swap"]
    return Replayed(
        answer["folded"]["records"],
        sum(each["rows"] for each in answer["tables"]),
        seconds,
        swap["resolver_seconds"],
        swap["readers_seconds"],
        answer["phases"],
    )


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


def _tell(line: str) -> None:
    console.print(f"{time.strftime('%H:%M:%S')} load {os.getloadavg()[0]:.1f}  {line}")


def _print(found: Figures) -> None:
    rate = found.records / found.draining_seconds
    console.print(
        f"\n{found.records:,} records, {found.items:,} items; published in {found.filling_seconds:.1f} s, worked off "
        f"by one resolver in {found.draining_seconds:.1f} s ({rate:,.0f}/s)"
    )
    table = Table("", "lost database", "beside live traffic")
    for column in table.columns[1:]:
        column.justify = "right"
    both = (found.lost_database, found.beside_traffic)
    table.add_row("in all", *(f"{each.seconds:.1f} s" for each in both))
    for phase in dict.fromkeys([*both[0].phases, *both[1].phases]):
        table.add_row(f"  {phase}", *(_seconds(each.phases.get(phase)) for each in both))
    table.add_row("folding, records/s", *(f"{each.records_per_second:,.0f}" for each in both))
    table.add_row("folding, rows/s", *(f"{each.rows_per_second:,.0f}" for each in both))
    table.add_row(
        "at the swap the resolver waited", *(f"{each.resolver_waited * 1000:,.0f} ms" for each in both)
    )
    table.add_row("at the swap readers waited", *(f"{each.readers_waited * 1000:,.0f} ms" for each in both))
    table.add_row("longest that a reader waited", "", f"{found.longest_read * 1000:,.0f} ms")
    table.add_row("longest that a command waited for its row", "", f"{found.longest_command:.2f} s")
    table.add_row("checksums of all tables as before", "yes" if found.checksums_equal else "NO", "")
    console.print(table)


def _seconds(taken: float | None) -> str:
    return "-" if taken is None else f"{taken:.1f} s"


_APPLIED = (
    "SELECT coalesce(sum(applied_to), 0)::bigint FROM resolver_g1.positions WHERE topic = 'muster.journal'"
)

if __name__ == "__main__":
    main()
