"""From a command's publication to its committed row, and to a dashboard: `python -m benchmarks.commands`.

Beside what nobody can be faster than: the same commands on the same topic at the same rate, stored by a bare consumer,
and once more as two bare consumers hand them on. They and the services take turns. Row and dashboard are measured on
the same commands, with resolver and notifier at work.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from statistics import mean

import asyncpg

from benchmarks import bare, observing
from benchmarks.bench import Bench, Figures, alone
from benchmarks.observing import Commits, Sent
from benchmarks.place import Place, RunningService, fresh_place
from benchmarks.spread import latencies
from benchmarks.usage import Meter

WARM_UP_SECONDS = 2.0
"""At the beginning of each slice, for whoever was just started."""
WATCH_SECONDS = 5.0
"""Looking keeps the generator from its work for some milliseconds, and only while services are at work."""
BEYOND = "WHERE applied_to > coalesce(known[partition + 1], -1)"
FLOOR = f"SELECT partition, applied_to FROM {bare.FIRST}_positions {BEYOND}"
ROWS = f"SELECT partition, applied_to FROM resolver_g1.positions {BEYOND} AND topic = 'muster.journal'"

Waits = dict[str, Sequence[float]]
Used = dict[str, float]


async def measure(bench: Bench) -> Figures:
    """The bare ones and the services in turns."""
    options = bench.options
    slices: list[Waits] = []
    cpu: dict[str, list[Used]] = {"floor": [], "hops": [], "services": []}
    memory: dict[str, list[int]] = {"resolver": [], "notifier": []}
    async with fresh_place(bench.addresses, bench.stack.folder) as place:
        await _slice(bench, place, "cold", memory)  # Kafka's compiler is at work in it
        for number in range(options.slices):
            waits, used = await _slice(bench, place, str(number), memory)
            slices.append(waits)
            for name, each in used.items():
                cpu[name].append(each)
            shown = ", ".join(f"{name} {latencies(them)['p99']:.1f}" for name, them in slices[-1].items())
            bench.tell(f"  slice {number + 1} of {options.slices}: p99 ms: {shown}")
    return {
        "commands_per_second": options.commands_per_second,
        "seconds": options.slices * options.slice_seconds,
        "memory": memory,
        "cpu": {
            name: {part: mean(one[part] for one in some) for part in some[0]} for name, some in cpu.items()
        },
        **{name: _told([them[name] for them in slices]) for name in slices[0]},
    }


async def _slice(
    bench: Bench, place: Place, name: str, memory: dict[str, list[int]]
) -> tuple[Waits, dict[str, Used]]:
    floor, used_floor = await _floor(bench, place, f"floor-{name}")
    hops, used_hops = await _hops(bench, place, f"hops-{name}")
    ours, used_ours = await _services(bench, place, f"ours-{name}", memory)
    return floor | hops | ours, {"floor": used_floor, "hops": used_hops, "services": used_ours}


def _told(slices: Sequence[Sequence[float]]) -> Figures:
    every = [wait for them in slices for wait in them]
    return latencies(every) | {"p99_of_slices": [latencies(them)["p99"] for them in slices]}


async def _floor(bench: Bench, place: Place, name: str) -> tuple[Waits, Used]:
    async with bare.floor(place, name) as processes:
        sent, commits, used = await _commanded(bench, place, name, processes, FLOOR)
    return {"floor": _stored(sent, commits)}, used


async def _hops(bench: Bench, place: Place, name: str) -> tuple[Waits, Used]:
    seen: dict[str, float] = {}
    async with bare.hops(place, name, seen) as processes:
        sent, commits, used = await _commanded(bench, place, name, processes, FLOOR, seen)
    return {"hops_row": _stored(sent, commits), "hops": observing.waits(sent, seen.get)}, used


async def _services(
    bench: Bench, place: Place, name: str, memory: dict[str, list[int]]
) -> tuple[Waits, Used]:
    seen: dict[str, float] = {}
    async with AsyncExitStack() as parts:
        resolver = await parts.enter_async_context(place.service("resolver"))
        notifier = await parts.enter_async_context(place.service("notifier"))
        await parts.enter_async_context(observing.dashboards(notifier.address, seen))
        services = {"resolver": resolver, "notifier": notifier}
        watching = asyncio.create_task(_watch(services, memory))
        parts.callback(watching.cancel)
        processes = {called: each.process.pid for called, each in services.items()}
        sent, commits, used = await _commanded(bench, place, name, processes, ROWS, seen)
    return {"row": _stored(sent, commits), "dashboard": observing.waits(sent, seen.get)}, used


def _stored(sent: Sent, commits: Commits) -> Sequence[float]:
    return observing.waits(sent, lambda command: commits.at(*sent.places[command]))


async def _watch(running: Mapping[str, RunningService], memory: dict[str, list[int]]) -> None:
    """Note how much memory these processes have, which begins anew with them, until cancelled."""
    for name in running:
        memory[name] = []
    while True:
        for name, each in running.items():
            memory[name].append(each.rss_bytes())
        await asyncio.sleep(WATCH_SECONDS)


async def _commanded(
    bench: Bench,
    place: Place,
    name: str,
    processes: Mapping[str, int],
    statement: str,
    seen: dict[str, float] | None = None,
) -> tuple[Sent, Commits, Used]:
    """Send, first some that don't count, and wait until the last one is in (and seen)."""
    options = bench.options
    rate, seconds = options.commands_per_second, options.slice_seconds
    database = await asyncpg.connect(place.dsn)
    commits = Commits(database, statement)
    looking = asyncio.create_task(commits.look())
    servers = {"kafka": bench.servers.kafka, "postgres": bench.servers.postgres}
    try:
        warm, sent = Sent(), Sent()
        await observing.send(place, warm, f"{name}-warm", rate, min(WARM_UP_SECONDS, seconds / 2))
        await _in(warm, commits, seen)
        meter = Meter(processes | servers)
        await observing.send(place, sent, name, rate, seconds)
        await _in(sent, commits, seen)
        used = meter.end(len(sent.due))
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        await database.close()
    return sent, commits, used


async def _in(sent: Sent, commits: Commits, seen: dict[str, float] | None) -> None:
    def there() -> bool:
        stored = all(commits.at(*where) is not None for where in sent.places.values())
        return stored and (seen is None or sent.due.keys() <= seen.keys())

    await observing.until(there, observing.SETTLE_SECONDS, "the last command")


if __name__ == "__main__":
    alone("commands", measure, __doc__)
