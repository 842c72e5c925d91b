"""The backbone's figures beside the raw floor of the same run: `python -m benchmarks.backbone`.

The rate at which one resolver works off a journal that is there already, and the time from a published command to the
committed row and to the SSE event. The floor is one Kafka round trip plus one Postgres commit on the same machine,
broker and database.
"""

import argparse
import asyncio
import time
from contextlib import AsyncExitStack
from statistics import quantiles

import asyncpg
from rich.console import Console
from rich.table import Table

from benchmarks.journal import journal
from benchmarks.latency import floor, to_the_dashboard, to_the_row
from benchmarks.place import Place, fresh_place
from schemas.topics import JOURNAL
from stack.opening import open_stack
from stack.settings import StackSettings
from worker.publisher import Publisher
from worker.records import Outgoing

console = Console(width=110)
CHUNK = 20_000
DRAIN_LIMIT_SECONDS = 1800


def main() -> None:
    """Read the arguments, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--tenants", type=int, default=500)
    parser.add_argument("--commands", type=int, default=300)
    asked = parser.parse_args()
    asyncio.run(measure(asked.records, asked.tenants, asked.commands))


async def measure(records: int, tenants: int, commands: int) -> None:
    """Everything, in one run."""
    stack = StackSettings.from_environment()
    async with AsyncExitStack() as parts:
        addresses = await parts.enter_async_context(open_stack(stack, "benchmark", console.print))
        place = await parts.enter_async_context(fresh_place(addresses, stack.folder))
        published = await fill(place, records, tenants)
        rate, cpu = await _drain(place, published)
        console.print(f"resolver: {published:,} records at {rate:,.0f}/s, {cpu * 1e6:.0f} us of CPU each")
        await parts.enter_async_context(place.service("resolver"))
        notifier = await parts.enter_async_context(place.service("notifier"))
        measured = {
            "floor: Kafka round trip + commit": await floor(place, commands),
            "command -> committed row": await to_the_row(place, commands),
            "command -> SSE event": await to_the_dashboard(place, notifier.address, commands),
        }
    _print(measured)


async def fill(place: Place, records: int, tenants: int) -> int:
    """Publish a made-up journal, and return how many records it has."""
    publisher = Publisher(place.settings, "bench")
    chunk: list[Outgoing] = []
    published = 0
    for tenant_id, event in journal(records, tenants, decided_after=min(50_000, records // 2)):
        chunk.append(Outgoing(JOURNAL, tenant_id, event))
        published += 1
        if len(chunk) == CHUNK:
            await publisher.publish(chunk)
            chunk.clear()
    await publisher.publish(chunk)
    await publisher.close()
    return published


async def _drain(place: Place, records: int) -> tuple[float, float]:
    """Records per second, from the first batch to the last, and CPU seconds per record."""
    database = await asyncpg.connect(place.dsn)
    async with place.service("resolver") as resolver, asyncio.timeout(DRAIN_LIMIT_SECONDS):
        first, first_at, first_cpu = 0, time.perf_counter(), resolver.cpu_seconds()
        while (done := await database.fetchval(_APPLIED)) < records:
            if not first and done:
                first, first_at, first_cpu = done, time.perf_counter(), resolver.cpu_seconds()
            await asyncio.sleep(0.02)
        seconds = time.perf_counter() - first_at
        cpu = resolver.cpu_seconds() - first_cpu
    await database.close()
    return (records - first) / seconds, cpu / (records - first)


def _print(measured: dict[str, list[float]]) -> None:
    table = Table("one at a time", "p50 ms", "p99 ms", "p50 / floor", "p99 / floor")
    base = next(iter(measured.values()))
    for name, times in measured.items():
        table.add_row(
            name,
            f"{_at(50, times) * 1000:.1f}",
            f"{_at(99, times) * 1000:.1f}",
            f"{_at(50, times) / _at(50, base):.2f}",
            f"{_at(99, times) / _at(99, base):.2f}",
        )
    console.print(table)


def _at(percent: int, times: list[float]) -> float:
    return quantiles(times, n=100)[percent - 1]


_APPLIED = (
    "SELECT coalesce(sum(applied_to), 0)::bigint FROM resolver_g1.positions WHERE topic = 'muster.journal'"
)

if __name__ == "__main__":
    main()
