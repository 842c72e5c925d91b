"""From a command's publication to its committed row, and to a dashboard: `python -m benchmarks.commands`.

Beside the raw floor: the same commands on the same topic at the same rate, stored by a bare consumer. Floor and
services take turns. Row and dashboard are measured on the same commands, with resolver and notifier at work.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress

import asyncpg

from benchmarks import observing
from benchmarks.bench import Bench, Figures, alone
from benchmarks.observing import Commits, Sent
from benchmarks.peers.running import START_SECONDS, variables
from benchmarks.place import Place, RunningService, fresh_place
from benchmarks.spread import latencies
from schemas.topics import JOURNAL
from stack.process import ServerProcess

WARM_UP_SECONDS = 2.0
FLOOR = "SELECT partition, applied_to FROM floor_positions"
ROWS = "SELECT partition, applied_to FROM resolver_g1.positions WHERE topic = 'muster.journal'"


async def measure(bench: Bench) -> Figures:
    """Floor and services in turns."""
    options = bench.options
    waited: dict[str, list[Sequence[float]]] = {"floor": [], "row": [], "dashboard": []}
    memory: dict[str, list[int]] = {"resolver": [], "notifier": []}
    async with fresh_place(bench.addresses, bench.stack.folder) as place:
        for number in range(options.slices):
            waited["floor"].append(await _floor(bench, place, f"floor-{number}"))
            rows, seen = await _services(bench, place, f"ours-{number}", memory)
            waited["row"].append(rows)
            waited["dashboard"].append(seen)
            shown = ", ".join(f"{name} {latencies(them[-1])['p99']:.1f}" for name, them in waited.items())
            bench.tell(f"  slice {number + 1} of {options.slices}: p99 ms: {shown}")
    return {
        "commands_per_second": options.commands_per_second,
        "seconds": options.slices * options.slice_seconds,
        "memory": memory,
        **{name: _told(them) for name, them in waited.items()},
    }


def _told(slices: list[Sequence[float]]) -> Figures:
    every = [wait for them in slices for wait in them]
    return latencies(every) | {"p99_of_slices": [latencies(them)["p99"] for them in slices]}


async def _floor(bench: Bench, place: Place, name: str) -> Sequence[float]:
    ready = place.folder / f"{place.settings.topic_prefix}{name}.ready"
    process = ServerProcess(
        "bench-floor",
        place.folder,
        variables=variables(place, name)
        | {"PEER_RESULT": str(ready), "PEER_PARTITIONS": str(place.settings.partitions(JOURNAL))},
    )
    await process.start(sys.executable, "-m", "benchmarks.floor")
    try:
        await process.until(ready.exists, START_SECONDS)
        sent, commits = await _commanded(bench, place, name, FLOOR)
        return observing.waits(sent, lambda command: commits.at(*sent.places[command]))
    finally:
        await process.stop()
        ready.unlink(missing_ok=True)


async def _services(
    bench: Bench, place: Place, name: str, memory: dict[str, list[int]]
) -> tuple[Sequence[float], Sequence[float]]:
    seen: dict[str, float] = {}
    async with AsyncExitStack() as parts:
        resolver = await parts.enter_async_context(place.service("resolver"))
        notifier = await parts.enter_async_context(place.service("notifier"))
        await parts.enter_async_context(observing.dashboards(notifier.address, seen))
        watching = asyncio.create_task(_watch({"resolver": resolver, "notifier": notifier}, memory))
        parts.callback(watching.cancel)
        sent, commits = await _commanded(bench, place, name, ROWS, seen)
    rows = observing.waits(sent, lambda command: commits.at(*sent.places[command]))
    return rows, observing.waits(sent, seen.get)


async def _watch(running: Mapping[str, RunningService], memory: dict[str, list[int]]) -> None:
    """Note how much memory these processes have, which begins anew with them, until cancelled."""
    for name in running:
        memory[name] = []
    while True:
        for name, each in running.items():
            memory[name].append(each.rss_bytes())
        await asyncio.sleep(1)


async def _commanded(
    bench: Bench, place: Place, name: str, statement: str, seen: dict[str, float] | None = None
) -> tuple[Sent, Commits]:
    """Send, first some that don't count, and wait until the last one is in (and seen)."""
    options = bench.options
    database = await asyncpg.connect(place.dsn)
    commits = Commits(database, statement)
    looking = asyncio.create_task(commits.look())
    try:
        warm, sent = Sent(), Sent()
        await observing.send(
            place,
            warm,
            f"{name}-warm",
            options.commands_per_second,
            min(WARM_UP_SECONDS, options.slice_seconds / 2),
        )
        await _in(warm, commits, seen)
        await observing.send(place, sent, name, options.commands_per_second, options.slice_seconds)
        await _in(sent, commits, seen)
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        await database.close()
    return sent, commits


async def _in(sent: Sent, commits: Commits, seen: dict[str, float] | None) -> None:
    def there() -> bool:
        stored = all(commits.at(*where) is not None for where in sent.places.values())
        return stored and (seen is None or sent.due.keys() <= seen.keys())

    await observing.until(there, observing.SETTLE_SECONDS, "the last command")


if __name__ == "__main__":
    alone("commands", measure, __doc__)
