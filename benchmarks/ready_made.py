"""The resolver without the resolving: how fast one process of Python can be that keeps its promises to both sides.

It reads the journal, validates each record with the same models, writes as many rows of the same shapes by the same
statements, and publishes outcomes of the same bytes. It loads nothing, applies no rule and decides nothing: what it
writes and publishes was made before the clock starts.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.place import Place, emptied
from schemas.codec import decode
from schemas.topics import JOURNAL, OUTCOMES
from services.resolver import saving
from services.resolver.domain.fold import JournalRecord
from services.resolver.domain.state import World
from worker.publisher import Publisher
from worker.records import Outgoing

LANES = 2
AT_ONCE = LANES * 1_000
"""In as many transactions, with partitions of their own, as in the consumer loop."""


@dataclass(slots=True)
class Made:
    """What the resolver would ask of Postgres and of Kafka for one batch. Takes the place of a connection."""

    calls: list[Callable[[Any], Awaitable[Any]]] = field(default_factory=list)
    outgoing: list[Outgoing] = field(default_factory=list)

    async def execute(self, query: str, *arguments: Any) -> None:
        """Note a statement."""
        self.calls.append(lambda database: database.execute(query, *arguments))

    async def copy_records_to_table(self, table: str, *, records: Any, columns: Sequence[str]) -> None:
        """Note a copy."""
        kept = list(records)
        self.calls.append(
            lambda database: database.copy_records_to_table(table, records=kept, columns=columns)
        )

    async def write(self, database: Any) -> None:
        """Do in one transaction what was noted."""
        async with database.transaction():
            for call in self.calls:
                await call(database)


async def rate(place: Place, records: int) -> tuple[float, float]:
    """Records a second, and CPU seconds of this process a record."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=place.settings.kafka,
        isolation_level="read_committed",
        max_partition_fetch_bytes=4 * 2**20,
    )
    await consumer.start()
    topic = place.settings.topic_name(JOURNAL)
    consumer.assign([TopicPartition(topic, number) for number in range(place.settings.partitions(JOURNAL))])
    publisher = Publisher(place.settings, "bench-ready-made")
    try:
        made = await _make(consumer, records)
        async with emptied(place) as here:
            session = {"search_path": "resolver_g1"}
            databases = [await asyncpg.connect(here.dsn, server_settings=session) for _ in range(LANES)]
            await consumer.seek_to_beginning()
            began, used = time.perf_counter(), time.process_time()
            await _work(consumer, publisher, databases, made)
            seconds, cpu = time.perf_counter() - began, time.process_time() - used
            for database in databases:
                await database.close()
        done = len(made) * AT_ONCE
        return done / seconds, cpu / done
    finally:
        await publisher.close()
        await consumer.stop()


async def _make(consumer: AIOKafkaConsumer, records: int) -> list[list[Made]]:
    """Fold it all in memory, a batch for each lane at a time, and keep what would be written and published."""
    await consumer.seek_to_beginning()
    world, made = World(), []
    for _ in range(records // AT_ONCE):
        lanes: list[list[JournalRecord]] = [[] for _ in range(LANES)]
        for raw in await _read(consumer, AT_ONCE):
            event = decode(raw.value, JOURNAL)
            lanes[raw.partition % LANES].append(
                JournalRecord(raw.partition, raw.offset, raw.timestamp, event)
            )
        made.append([await _made(world, lane) for lane in lanes])
    return made


async def _made(world: World, batch: Sequence[JournalRecord]) -> Made:
    verdicts, decisions = saving.fold(world, batch)
    made = Made()
    await saving.save(made, world, decisions)  # type: ignore[arg-type]
    for verdict in verdicts:
        assert verdict.record.event is not None
        tenant_id = verdict.record.event.tenant_id
        made.outgoing += [Outgoing(OUTCOMES, tenant_id, outcome) for outcome in verdict.outcomes]
    for state in world.tenants.values():
        state.settle()
    return made


async def _work(
    consumer: AIOKafkaConsumer, publisher: Publisher, databases: Sequence[Any], made: Sequence[Sequence[Made]]
) -> None:
    """As the consumer loop does: publish one lot while the next one is written, and read ahead meanwhile."""
    publishing: Awaitable[Any] = asyncio.sleep(0)
    for lanes in made:
        await asyncio.gather(
            publishing,
            _validate(consumer, AT_ONCE),
            *(lane.write(database) for lane, database in zip(lanes, databases, strict=True)),
        )
        publishing = publisher.publish([event for lane in lanes for event in lane.outgoing])
    await publishing


async def _validate(consumer: AIOKafkaConsumer, number: int) -> None:
    for raw in await _read(consumer, number):
        decode(raw.value, JOURNAL)


async def _read(consumer: AIOKafkaConsumer, number: int) -> list[Any]:
    found: list[Any] = []
    while len(found) < number:
        fetched = await consumer.getmany(timeout_ms=500, max_records=number - len(found))
        found += [raw for some in fetched.values() for raw in some]
    return found
