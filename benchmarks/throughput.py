"""How fast everybody works the same journal off: `python -m benchmarks.throughput`.

The resolver, the replay and the peers take turns, each from an empty database, on one topic and in one Postgres. Those
that need minutes for it get a shorter journal.
"""

import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from benchmarks import drains, machine
from benchmarks.bench import Bench, Figures, alone
from benchmarks.drains import Drained
from benchmarks.filling import Filled, fill
from benchmarks.peers import debezium, running
from benchmarks.place import Place, fresh_place
from schemas.topics import JOURNAL

Run = Callable[[], Awaitable[Drained]]
WARM_UPS = 2


async def measure(bench: Bench) -> Figures:
    """Everybody, in turns."""
    options = bench.options
    async with AsyncExitStack() as parts:
        place = await parts.enter_async_context(fresh_place(bench.addresses, bench.stack.folder))
        filled = await fill(place, options.records, options.tenants)
        bench.tell(f"{filled.records:,} records of {filled.mean_bytes:.0f} bytes published")
        contest = Contest(bench)
        contest.add("resolver", lambda: drains.resolve(place, filled.records, bench.servers))
        await _add_debezium(contest, parts, place, filled)
        contest.add("replay", lambda: drains.replay(place, filled, bench.servers))
        contest.add("two_resolvers", lambda: drains.resolve(place, filled.records, bench.servers, 2))
        batch = "faststream_batch"
        contest.add(batch, lambda: running.faststream(place, filled, bench.servers, batch))
        await _add_slow_ones(contest, parts)
        await contest.rounds(options.runs)
        return {
            "journal": {
                "records": filled.records,
                "mean_bytes": filled.mean_bytes,
                "tenants": options.tenants,
                "partitions": place.settings.partitions(JOURNAL),
            },
            "durability": await machine.durability(bench.addresses, place.settings.topic_name(JOURNAL)),
            "runs": contest.runs,
            "left_out": contest.left_out,
        }


class Contest:
    """Who takes part, what came out of each run, and who had to be left out, and why."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._contenders: dict[str, Run] = {}
        self.runs: dict[str, list[Figures]] = {}
        self.left_out: dict[str, str] = {}

    def add(self, name: str, run: Run) -> None:
        """Let somebody take part."""
        self._contenders[name] = run

    def leave_out(self, name: str, why: Exception) -> None:
        """Somebody can't take part, which is said at once and in the page."""
        self._contenders.pop(name, None)
        self.left_out[name] = f"{type(why).__name__}: {why}"[:1000]
        self.bench.tell(f"  {name} IS LEFT OUT. {self.left_out[name]}")

    async def rounds(self, number: int) -> None:
        """Everybody once, as often as that."""
        for _ in range(number):
            for name, run in list(self._contenders.items()):
                try:
                    drained = await run()
                except Exception as error:  # noqa: BLE001 - the others are worth measuring all the same
                    self.leave_out(name, error)
                    continue
                document = drained.document() | {"load": os.getloadavg()[0]}
                self.runs.setdefault(name, []).append(document)
                self.bench.tell(f"  {name:20} {_shown(document)}")


async def _add_debezium(contest: Contest, parts: AsyncExitStack, place: Place, filled: Filled) -> None:
    bench = contest.bench
    try:
        worker = await parts.enter_async_context(
            debezium.connect(
                bench.addresses.kafka, place.folder, bench.stack.programs, bench.tell, bench.stack.maven
            )
        )
        if bench.options.runs > 1:
            for _ in range(WARM_UPS):
                await running.debezium(place, filled, bench.servers, worker)
    except Exception as error:  # noqa: BLE001 - without the network, say
        contest.leave_out("debezium", error)
        return
    contest.add("debezium", lambda: running.debezium(place, filled, bench.servers, worker))
    contest.add(
        "debezium_unnest", lambda: running.debezium(place, filled, bench.servers, worker, unnest=True)
    )


async def _add_slow_ones(contest: Contest, parts: AsyncExitStack) -> None:
    bench = contest.bench
    options = bench.options
    few = await parts.enter_async_context(fresh_place(bench.addresses, bench.stack.folder))
    short = await fill(few, options.tutorial_records, options.tenants)
    tutorial = "faststream_tutorial"
    contest.add(tutorial, lambda: running.faststream(few, short, bench.servers, tutorial))
    some = await parts.enter_async_context(fresh_place(bench.addresses, bench.stack.folder))
    longer = await fill(some, options.faust_records, options.tenants)
    try:
        python = await running.faust_python(bench.stack.programs, bench.tell)
    except Exception as error:  # noqa: BLE001 - without the network, say
        contest.leave_out("faust", error)
        return
    contest.add("faust", lambda: running.faust(some, longer, python))


def _shown(run: Figures) -> str:
    return (
        f"{run['records_per_second']:>9,.0f} records/s {run['rows_per_second']:>9,.0f} rows/s, CPU us/record: "
        f"{run['cpu_per_record'] * 1e6:.0f}, Postgres {run['postgres_per_record'] * 1e6:.0f}, "
        f"Kafka {run['kafka_per_record'] * 1e6:.0f}"
    )


if __name__ == "__main__":
    alone("throughput", measure, __doc__)
