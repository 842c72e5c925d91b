"""The resolver without the resolving: how fast one process of Python can be that keeps its promises to both sides.

It reads the journal, validates each record with the same models, writes as many rows of the same shapes by the same
statements, and publishes outcomes of the same bytes. It loads nothing, applies no rule and decides nothing: what it
writes and publishes was made before the clock starts, a part of the journal at a time. What the making took is the
other half of the resolver: reading, rules and rows in memory alone.
"""

import asyncio
import gc
import multiprocessing
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.drains import OURS, rows
from benchmarks.place import Place, emptied
from benchmarks.usage import Servers
from schemas.codec import decode
from schemas.topics import JOURNAL, OUTCOMES
from services.resolver import saving
from services.resolver.domain.fold import JournalRecord
from services.resolver.domain.mentions import Mentions
from services.resolver.domain.state import World
from worker.app import GARBAGE_THRESHOLDS
from worker.publisher import Publisher
from worker.records import Outgoing

LANES = 3
AT_ONCE = LANES * 1_000
"""In as many transactions, with partitions of their own, as in the consumer loop."""
PART = 10 * AT_ONCE
"""Records whose rows and outcomes are in memory at a time, 9 kB each."""


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


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast it went without a rule, CPU seconds a record for that, and those of one process to make it all."""

    records_per_second: float
    rows_per_second: float
    cpu_per_record: float
    postgres_per_record: float
    kafka_per_record: float
    reading_per_record: float
    """From bytes to events, which is in `cpu_per_record` too."""
    rules_per_record: float
    """From events to rows and outcomes in memory: what they name, the rules, and what says what each came to."""

    def document(self) -> dict[str, float]:
        return asdict(self)


@dataclass(slots=True)
class Making:
    """CPU seconds of this process to make it all, with no load, no database and no Kafka."""

    records: int = 0
    reading: float = 0.0
    rules: float = 0.0


@dataclass(slots=True)
class Used:
    """Seconds, and CPU seconds of this process and of the servers, while the clock ran."""

    servers: Servers
    seconds: float = 0.0
    cpu: float = 0.0
    postgres: float = 0.0
    kafka: float = 0.0

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Add what is used inside."""
        kafka, postgres = self.servers.cpu_seconds()
        began, used = time.perf_counter(), time.process_time()
        yield
        self.seconds += time.perf_counter() - began
        self.cpu += time.process_time() - used
        now_kafka, now_postgres = self.servers.cpu_seconds()
        self.kafka += now_kafka - kafka
        self.postgres += now_postgres - postgres

    def rate(self, rows: int, *makings: Making) -> Rate:
        """With so many rows of all that was made."""
        done = sum(each.records for each in makings)
        reading, rules = (sum(getattr(each, part) for each in makings) for part in ("reading", "rules"))
        costs = (self.cpu, self.postgres, self.kafka, reading, rules)
        return Rate(done / self.seconds, rows / self.seconds, *(each / done for each in costs))


async def rate_of_a_process(place: Place, records: int, servers: Servers) -> Rate:
    """`rate` in a process of its own, which is as a service's process is, and takes its memory along in the end."""
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=_member, args=(place, records, servers, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        found: Rate = await asyncio.to_thread(ours.recv)
    except EOFError:
        raise RuntimeError("The process that writes ready-made rows has ended; see above.") from None
    finally:
        process.kill()
    return found


def _member(place: Place, records: int, servers: Servers, pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        pipe.send(runner.run(rate(place, records, servers)))


async def rate(place: Place, records: int, servers: Servers) -> Rate:
    """Make what the records come to, then read them again and write and publish it: part by part."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=place.settings.kafka,
        isolation_level="read_committed",
        max_partition_fetch_bytes=4 * 2**20,
    )
    await consumer.start()
    topic = place.settings.topic_name(JOURNAL)
    consumer.assign([TopicPartition(topic, number) for number in range(place.settings.partitions(JOURNAL))])
    await consumer.seek_to_beginning()
    publisher = Publisher(place.settings, "bench-ready-made")
    world, making, used = World(), Making(), Used(servers)
    try:
        async with emptied(place) as here:
            session = {"search_path": "resolver_g1"}
            databases = [await asyncpg.connect(here.dsn, server_settings=session) for _ in range(LANES)]
            for first in range(0, records, PART):
                since = await _positions(consumer)
                made = await _make(consumer, world, min(PART, records - first), making)
                gc.freeze()  # what waits to be written is no batch's garbage
                until = await _positions(consumer)
                _seek(consumer, since)
                with used.counting():
                    await _work(consumer, publisher, databases, made)
                del made
                _seek(consumer, until)
            for database in databases:
                await database.close()  # which tells Postgres what it has counted
            return used.rate(await _rows(here), making)
    finally:
        await publisher.close()
        await consumer.stop()


async def _positions(consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
    return {place: await consumer.position(place) for place in consumer.assignment()}


def _seek(consumer: AIOKafkaConsumer, positions: Mapping[TopicPartition, int]) -> None:
    for place, position in positions.items():
        consumer.seek(place, position)


async def _make(consumer: AIOKafkaConsumer, world: World, records: int, making: Making) -> list[list[Made]]:
    """Fold it all in memory, a batch for each lane at a time, and keep what would be written and published."""
    made = []
    for _ in range(records // AT_ONCE):
        lanes: list[list[Any]] = [[] for _ in range(LANES)]
        for raw in await _read(consumer, AT_ONCE):
            lanes[raw.partition % LANES].append(raw)
        made.append([await _made(world, lane, making) for lane in lanes])
    return made


async def _made(world: World, raws: Sequence[Any], making: Making) -> Made:
    began = time.process_time()
    batch = [
        JournalRecord(raw.partition, raw.offset, raw.timestamp, decode(raw.value, JOURNAL)) for raw in raws
    ]
    read = time.process_time()
    mentions = Mentions()
    for record in batch:
        if record.event is not None:
            mentions.note(record.event)
    verdicts, decisions = saving.fold(world, batch)
    made = Made()
    await saving.save(made, world, decisions)  # type: ignore[arg-type]
    making.rules += time.process_time() - read
    making.reading += read - began
    making.records += len(raws)
    for verdict in verdicts:
        assert verdict.record.event is not None
        tenant_id = verdict.record.event.tenant_id
        made.outgoing += [Outgoing(OUTCOMES, tenant_id, outcome) for outcome in verdict.outcomes]
    for state in world.tenants.values():
        state.settle()
    return made


async def _rows(place: Place) -> int:
    database = await asyncpg.connect(place.dsn)
    try:
        return await rows(database, OURS, "%")
    finally:
        await database.close()


async def _work(
    consumer: AIOKafkaConsumer, publisher: Publisher, databases: Sequence[Any], made: Sequence[Sequence[Made]]
) -> None:
    """As the consumer loop does: each lane reads, writes and publishes what is its own, and waits for no other."""
    await asyncio.gather(
        *(
            _work_in_lane(consumer, publisher, database, batches)
            for database, batches in zip(databases, zip(*made, strict=True), strict=True)
        )
    )


async def _work_in_lane(
    consumer: AIOKafkaConsumer, publisher: Publisher, database: Any, batches: Sequence[Made]
) -> None:
    """Publish a batch while the next one is written, and read ahead meanwhile."""
    publishing: Awaitable[Any] = asyncio.sleep(0)
    for batch in batches:
        await asyncio.gather(publishing, _validate(consumer, AT_ONCE // LANES), batch.write(database))
        publishing = publisher.publish(batch.outgoing)
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
