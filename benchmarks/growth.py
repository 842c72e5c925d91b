"""What a record costs when much is there already: `python -m benchmarks.growth`.

The same kind of journal goes on with few items there and with many: new imports, decisions on items that are there, and
imports that stage them again. In turns where it can be: the many are made once.
"""

from itertools import islice
from statistics import median

import asyncpg

from benchmarks import grown
from benchmarks.bench import Bench, Figures, alone
from benchmarks.drains import Drained, Watch, applied, drained
from benchmarks.filling import publish
from benchmarks.place import Place, fresh_place

REFUSED = """
SELECT coalesce(reason, result), count(*) FROM decisions WHERE "offset" >= 0 AND result <> 'applied' GROUP BY 1
"""
PARTS = 3
"""Each journal is published and worked off in so many parts, each a measurement of its own; in fewer for fewer runs."""


async def measure(bench: Bench) -> Figures:
    """First few items, then many."""
    options = bench.options
    return {
        "few": await _with(bench, options.few_items),
        "many": await _with(bench, options.many_items),
    }


async def _with(bench: Bench, items: int) -> Figures:
    async with fresh_place(bench.addresses, bench.stack.folder) as place:
        database = await asyncpg.connect(place.dsn, command_timeout=3600)
        bench.tell(f"  making {items:,} items")
        await grown.preload(database, items)
        size = await grown.size(database)
        bench.tell(f"  made, {size['bytes'] / 2**30:.1f} GiB")
        runs = await _worked_off(bench, place, database, items)
        refused = dict(await database.fetch(REFUSED))
        await database.close()
    return {
        "items": items,
        "bytes": size["bytes"],
        "refused": refused,
        "cpu_per_record": median(_cost(run) for run in runs),
        "runs": [run.document() for run in runs],
    }


def _cost(run: Drained) -> float:
    """CPU seconds a record of the resolver and of Postgres together."""
    return (run.cpu_seconds + run.postgres_seconds) / run.counted


async def _worked_off(bench: Bench, place: Place, database: object, items: int) -> list[Drained]:
    """Several journals after one another, each published while the resolver is down."""
    parts = min(PARTS, bench.options.runs)
    records = bench.options.grown_records // parts
    events = grown.going_on(records * parts, items)
    runs: list[Drained] = []
    there = 0
    for _ in range(parts):
        filled = await publish(place, islice(events, records))
        async with place.service("resolver") as resolver:
            watch = Watch(bench.servers, [resolver.process.pid])
            base = there

            async def done(base: int = base, running: object = resolver) -> int:
                return await applied(database, [running]) - base

            await drained(watch, done, filled.records)
        there += filled.records
        run = watch.end(filled.records, 0)
        runs.append(run)
        bench.tell(
            f"  {items:>10,} items: {_cost(run) * 1e6:.0f} us, {run.records_per_second:,.0f} records/s"
        )
    return runs


if __name__ == "__main__":
    alone("growth", measure, __doc__)
