"""What nobody can be faster than here: `python -m benchmarks.ceilings`.

Reading without doing anything, writing the resolver's rows without deciding anything, both with publishing what was
made before, the same as a replay does it, and one record there and back with one commit.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from statistics import median
from typing import Any
from uuid import uuid5

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks import ready_made, ready_made_replay
from benchmarks.bench import Bench, Figures, alone
from benchmarks.filling import fill
from benchmarks.latency import floor
from benchmarks.place import Place, fresh_place
from benchmarks.ready_made import Rate
from benchmarks.spread import latencies, spread
from schemas.ids import NAMESPACE
from schemas.topics import JOURNAL
from services.resolver.saving import DECISION_COLUMNS, KINDS, QUERIES

AT_ONCE = 5_000
BATCH = 1_000
RUNS = 3
OUTCOME_BYTES = 900
READY_MADE_REPLAY = 100_000
"""Records of a shorter journal whose rows are all in memory before the clock starts."""
ROUND_TRIPS = 300
"""At most; fewer where little is asked for."""
ITEM_COLUMNS = next(kind.columns for kind in KINDS if kind.table == "items")
PERSONAL = (
    '{"name": "Person 123456", "email": "person1.1@example.com", "phone": "0491 570 110", "date_of_birth": '
    '"1978-04-09", "address": "7 Wattle Parade\\nFernleigh NSW 2999\\nAustralia"}'
)
RELATIONSHIP = '{"type": "Director", "start_date": "2015-07-01"}'


async def measure(bench: Bench) -> Figures:
    """Every ceiling, a few times."""
    options = bench.options
    async with AsyncExitStack() as parts:
        place = await parts.enter_async_context(fresh_place(bench.addresses, bench.stack.folder))
        filled = await fill(place, options.rows, options.tenants)
        database = await asyncpg.connect(place.dsn)
        await database.execute("SET search_path TO resolver_g1")
        figures: Figures = {"rows": options.rows, "mean_bytes": filled.mean_bytes}
        for name, rate in {
            "getmany": lambda: _read(place),
            "unnest_items": lambda: _upsert_items(database, options.rows),
            "copy_items": lambda: _copy(database, "items", ITEM_COLUMNS, _items(options.rows)),
            "copy_decisions": lambda: _copy(
                database, "decisions", DECISION_COLUMNS, _decisions(options.rows)
            ),
        }.items():
            figures[name] = await _measured(bench, name, rate)
        await database.close()
        if options.rows >= ready_made.AT_ONCE:
            figures["ready_made"] = await _ready_made(bench, place)
            figures["ready_made_replay"] = await _ready_made_replay(bench)
        times = await floor(place, min(ROUND_TRIPS, options.rows // 20))
        figures["round_trip_and_commit"] = latencies(times)
    return figures


async def _measured(bench: Bench, name: str, rate: Callable[[], Awaitable[float]]) -> dict[str, float]:
    found = spread([await rate() for _ in range(min(bench.options.runs, RUNS))])
    bench.tell(f"  {name:16} {found['median']:>9,.0f}/s")
    return found


async def _ready_made(bench: Bench, place: Place) -> dict[str, float]:
    options = bench.options
    found = [
        await ready_made.rate_of_a_process(place, options.rows, bench.servers)
        for _ in range(min(options.runs, RUNS))
    ]
    return _rates(bench, "ready_made", found)


async def _ready_made_replay(bench: Bench) -> dict[str, float]:
    options = bench.options
    async with fresh_place(bench.addresses, bench.stack.folder) as place:
        await fill(place, min(options.rows, READY_MADE_REPLAY), options.tenants)
        async with ready_made_replay.crew(place) as crew:
            found = [await crew.rate(place, bench.servers) for _ in range(min(options.runs, RUNS))]
    return _rates(bench, "ready_made_replay", found)


def _rates(bench: Bench, name: str, found: Sequence[Rate]) -> dict[str, float]:
    documents = [each.document() for each in found]
    rates = spread([each.pop("records_per_second") for each in documents])
    others = {each: median(document[each] for document in documents) for each in documents[0]}
    bench.tell(
        f"  {name:16} {rates['median']:>9,.0f}/s, {others['cpu_per_record'] * 1e6:.0f} us of CPU a record; rules alone "
        f"{others['rules_per_record'] * 1e6:.0f}"
    )
    return rates | others


async def _read(place: Place) -> float:
    """Records a second that one consumer of aiokafka hands out in batches, and nothing is done with them."""
    topic = place.settings.topic_name(JOURNAL)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=place.settings.kafka,
        isolation_level="read_committed",
        max_partition_fetch_bytes=4 * 2**20,
    )
    await consumer.start()
    partitions = [TopicPartition(topic, number) for number in range(place.settings.partitions(JOURNAL))]
    consumer.assign(partitions)
    await consumer.seek_to_beginning()
    records = sum((await consumer.end_offsets(partitions)).values())
    read, began = 0, time.perf_counter()
    while read < records:
        found = await consumer.getmany(timeout_ms=500, max_records=AT_ONCE)
        read += sum(map(len, found.values()))
    seconds = time.perf_counter() - began
    await consumer.stop()
    return records / seconds


async def _upsert_items(database: Any, number: int) -> float:
    """Rows a second of the resolver's own statement for items, a thousand to a transaction."""
    made = _items(number)
    columns = [
        [list(column) for column in zip(*sorted(made[since : since + BATCH]), strict=True)]
        for since in range(0, number, BATCH)
    ]
    await database.execute("TRUNCATE items")
    began = time.perf_counter()
    for each in columns:
        await database.execute(QUERIES.put_items, *each)
    return number / (time.perf_counter() - began)


async def _copy(database: Any, table: str, names: Sequence[str], made: list[Any]) -> float:
    """Rows a second by COPY, five thousand to a transaction, with the indexes that are always there."""
    await database.execute(f"TRUNCATE {table}")
    began = time.perf_counter()
    for since in range(0, len(made), AT_ONCE):
        await database.copy_records_to_table(table, records=made[since : since + AT_ONCE], columns=names)
    return len(made) / (time.perf_counter() - began)


def _items(number: int) -> list[Any]:
    """As the resolver would store them, with ids as long and as scattered as real ones."""
    return [
        (
            *(_tenant(each), _id("item", each), _id("client", each // 24), _id("party", each)),
            *(_id("import", each // 24), each, PERSONAL, RELATIONSHIP, False, False, None, "0" * 32),
            *("pending", None, True, None, None, None, None, None),
        )
        for each in range(number)
    ]


def _decisions(number: int) -> list[Any]:
    """As the resolver would store them, each with an outcome of the usual length."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    outcome = '{"outcome":"' + "x" * OUTCOME_BYTES + '"}'
    return [
        (
            *(_tenant(each), each % 24, each, 0, at, "applied", None, True, _id("event", each)),
            *("muster.item.staged.v1", each.to_bytes(16, "big"), None, _id("client", each // 24)),
            *(_id("import", each // 24), _id("item", each), None, None, None, outcome),
        )
        for each in range(number)
    ]


def _tenant(number: int) -> str:
    return f"tenant-{number % 500}"


def _id(what: str, number: int) -> str:
    return str(uuid5(NAMESPACE, f"{what} {number}"))


if __name__ == "__main__":
    alone("ceilings", measure, __doc__)
