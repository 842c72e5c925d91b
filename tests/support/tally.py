"""The smallest service: it counts requests, and answers each with one event.

Run as a process: `python -m tests.support.tally`. What a request asks for is in `requested_by`:

    poison        the projection breaks on it
    poison-sql    the database breaks on it
    poison-fold   the projection finds out by itself and says so
    incurable     not even its failure can be recorded
    stuck         the event loop is blocked
    slow          the record takes a while
    cut           the server ends the session in the midst of it, once
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.structs import ConsumerRecord

from schemas.codec import Event, encode
from schemas.imports import ImportRequested
from schemas.topics import PROGRESS, REQUESTS, Topic
from worker import topics
from worker.app import Ended, Resources, Service, run, serve
from worker.projection import Database, Effects
from worker.records import Failed, Incoming, Outgoing, Span
from worker.settings import Settings
from worker.statements import Statement

TABLES = """
CREATE SCHEMA tally;
CREATE TABLE tally.positions (LIKE importer.positions INCLUDING ALL);
CREATE TABLE tally.records (
    seen bigint GENERATED ALWAYS AS IDENTITY,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    tenant_id text,
    event_id text,
    result text NOT NULL,
    answer bytea,
    session integer NOT NULL DEFAULT pg_backend_pid()
);
"""
NOTE = """
INSERT INTO records (partition, "offset", result, tenant_id, event_id, answer)
SELECT * FROM unnest($1::integer[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bytea[])
"""


class TallyProjection:
    """Notes every record, and answers every request."""

    group = "tally"
    topics: Sequence[Topic] = (REQUESTS,)
    lanes = 3
    at_once = 20
    apart = 0.0

    def __init__(self) -> None:
        self.cut: set[str] = set()

    async def prepare(self, database: Database) -> None:
        await database.execute("SET search_path TO tally")

    async def check(self, database: Database) -> None:
        """Its tables are always the same ones."""

    async def apply(self, database: Database, batch: Sequence[Incoming]) -> Effects:
        rows, outgoing, failed = [], [], []
        for record in batch:
            event = record.content
            if isinstance(event, Event):
                wish = asked_for(event)
                if wish == "poison-fold":
                    failed.append((record, ValueError("private: John Smith")))
                    rows.append(row(record, "failed"))
                    continue
                await self._grant(wish, event, database)
                answer = b'{"answers":"%s"}' % event.id.encode()
                outgoing.append(Outgoing(PROGRESS, event.tenant_id, answer))
                rows.append(row(record, "applied", event, answer))
            elif isinstance(event, Failed):
                if asked_for(event.event) == "incurable":
                    raise ValueError("private: John Smith")
                rows.append(row(record, "failed", event.event))
            else:
                rows.append(row(record, event.why))
        return Effects(outgoing, failed, rest=[Statement(NOTE, list(map(list, zip(*rows, strict=True))))])

    async def _grant(self, wish: str, event: Event, database: Database) -> None:
        if wish in ("poison", "incurable"):
            raise ValueError("private: John Smith")
        if wish == "poison-sql":
            await database.execute("SELECT 'private: John Smith'::integer")
        if wish == "cut" and event.id not in self.cut:
            self.cut.add(event.id)
            await end_from_outside(database)
        if wish == "slow":
            await asyncio.sleep(0.02)
        if wish == "stuck":
            time.sleep(60)  # noqa: ASYNC251 - that is the point

    async def unpublished(self, database: Database, span: Span) -> Sequence[Outgoing]:
        found = await database.fetch(
            'SELECT tenant_id, answer FROM records WHERE partition = $1 AND "offset" >= $2 AND "offset" < $3 '
            'AND answer IS NOT NULL ORDER BY "offset"',
            span.partition,
            span.since,
            span.until,
        )
        return [Outgoing(PROGRESS, each["tenant_id"], each["answer"]) for each in found]


async def end_from_outside(database: Database) -> None:
    """Let the server end this idle session, and come back as soon as its last words may be here."""
    parameters = database._params
    other = await asyncpg.connect(
        host="127.0.0.1",
        port=database._addr[1],
        user=parameters.user,
        password=parameters.password,
        database=parameters.database,
    )
    await other.execute("SELECT pg_terminate_backend($1)", database.get_server_pid())
    await other.close()


def asked_for(event: Event) -> str:
    assert isinstance(event.data, ImportRequested)
    return event.data.requested_by


def row(
    record: Incoming, result: str, event: Event | None = None, answer: bytes | None = None
) -> tuple[Any, ...]:
    tenant_id, event_id = (event.tenant_id, event.id) if event else (None, None)
    return record.partition, record.offset, result, tenant_id, event_id, answer


def request(tenant_id: str, event_id: str, wish: str = "Ada") -> bytes:
    """A request on the wire."""
    return encode(
        ImportRequested(client_id="c1", requested_by=wish),
        id=event_id,
        source="/tests",
        time="2026-01-01T00:00:00Z",
        subject="c1",
        tenant_id=tenant_id,
    )


class OddName(str):
    """The name of a header that is not UTF-8 on the wire."""

    __slots__ = ()

    def encode(self, *_: str) -> bytes:
        return b"\xff\xfe"


@dataclass
class Tally:
    """A tally with topics and tables of its own; how to feed it and what came of it."""

    settings: Settings
    projection: TallyProjection = field(default_factory=TallyProjection)

    request = staticmethod(request)

    @property
    def requests(self) -> str:
        return self.settings.topic_name(REQUESTS)

    @asynccontextmanager
    async def running(self, **changes: Any) -> AsyncIterator["asyncio.Task[None]"]:
        """Run it in this event loop, as its process would, and stop it in order at the end."""
        stopping = asyncio.Event()
        settings = self.settings.model_copy(update=changes)
        task = asyncio.create_task(serve("tally", self._compose, settings, stopping))
        try:
            yield task
        finally:
            stopping.set()
            await asyncio.wait({task})
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error

    @asynccontextmanager
    async def _compose(self, _resources: Resources) -> AsyncIterator[Service]:
        yield Service(self.projection)

    @asynccontextmanager
    async def producing(self) -> AsyncIterator[AIOKafkaProducer]:
        async with AIOKafkaProducer(
            bootstrap_servers=self.settings.kafka,
            enable_idempotence=True,
            max_request_size=8_000_000,
            linger_ms=5,
        ) as producer:
            yield producer

    async def ask(self, *requests: tuple[str, str] | tuple[str, str, str]) -> list[tuple[int, int]]:
        """Publish requests (tenant, id, wish), and return the partition and offset of each."""
        async with self.producing() as producer:
            sent = [
                await producer.send(self.requests, request(*each), key=each[0].encode()) for each in requests
            ]
            return [(done.partition, done.offset) for done in [await each for each in sent]]

    async def send(
        self,
        value: bytes | None,
        key: bytes | None,
        headers: Sequence[tuple[str, bytes | None]],
        partition: int,
        times: int = 1,
        **options: Any,
    ) -> None:
        """Publish anything at all, so many times in one batch."""
        async with AIOKafkaProducer(
            bootstrap_servers=self.settings.kafka, **{"max_request_size": 2**23, **options}
        ) as producer:
            batch = producer.create_batch()
            if any(isinstance(name, OddName) for name, _ in headers):
                batch._builder = _DefaultRecordBatchBuilderPy(
                    2,
                    0,
                    is_transactional=0,
                    producer_id=-1,
                    producer_epoch=-1,
                    base_sequence=0,
                    batch_size=2**20,
                )
            for _ in range(times):
                batch.append(timestamp=None, key=key, value=value, headers=list(headers))
            await (await producer.send_batch(batch, self.requests, partition=partition))

    async def until_it_ends(self) -> None:
        """Run it until it ends by itself, and raise what ended it."""
        try:
            await serve("tally", self._compose, self.settings, asyncio.Event())
        except Ended as error:
            raise error.__cause__ or error from None

    async def results(self) -> list[asyncpg.Record]:
        """What was noted, in the order in which it was."""
        return await self.fetch("SELECT * FROM tally.records ORDER BY seen")

    async def places(self) -> list[tuple[int, int]]:
        """Partition and offset of everything that was noted, as often as it was."""
        return sorted((each["partition"], each["offset"]) for each in await self.results())

    async def has(self, number: int) -> bool:
        """Whether exactly so many records were noted."""
        return bool(
            (await self.fetch("SELECT count(*) = $1 AS it_has FROM tally.records", number))[0]["it_has"]
        )

    async def positions(self) -> list[asyncpg.Record]:
        return await self.fetch("SELECT * FROM tally.positions ORDER BY topic, partition")

    async def is_at_the_end(self) -> bool:
        """Whether each position is at the end of its log."""
        async with AIOKafkaConsumer(bootstrap_servers=self.settings.kafka) as kafka:
            places = [TopicPartition(self.requests, each) for each in range(self.settings.topic_partitions)]
            ends = await kafka.end_offsets(places)
        return [ends[each] for each in places] == [each["applied_to"] for each in await self.positions()]

    async def delete_records(self, partition: int, before: int) -> None:
        """Let the broker delete the beginning of a log."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.settings.kafka)
        await admin.start()
        await admin.delete_records({TopicPartition(self.requests, partition): RecordsToDelete(before)})
        await admin.close()

    async def execute(self, statements: str) -> None:
        database = await asyncpg.connect(self.settings.postgres_dsn.get_secret_value())
        await database.execute(statements)
        await database.close()

    async def fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        database = await asyncpg.connect(self.settings.postgres_dsn.get_secret_value())
        try:
            return await database.fetch(statement, *arguments)
        finally:
            await database.close()

    async def published(self, topic: Topic = PROGRESS) -> list[ConsumerRecord]:
        """Everything on a topic, per partition in order."""
        name = self.settings.topic_name(topic)
        async with AIOKafkaConsumer(
            bootstrap_servers=self.settings.kafka, auto_offset_reset="earliest"
        ) as kafka:
            places = [TopicPartition(name, each) for each in range(self.settings.partitions(topic))]
            kafka.assign(places)
            ends = await kafka.end_offsets(places)
            found: list[ConsumerRecord] = []
            while any([await kafka.position(each) < ends[each] for each in places]):
                for some in (await kafka.getmany(timeout_ms=500)).values():
                    found += some
            return found

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a process of it."""
        return os.environ | {
            "MUSTER_KAFKA": self.settings.kafka,
            "MUSTER_POSTGRES_DSN": self.settings.postgres_dsn.get_secret_value(),
            "MUSTER_TOPIC_PREFIX": self.settings.topic_prefix,
            "MUSTER_TOPIC_PARTITIONS": str(self.settings.topic_partitions),
            "MUSTER_JOURNAL_PARTITIONS": str(self.settings.journal_partitions),
            "MUSTER_DEAD_LETTER_PARTITIONS": str(self.settings.dead_letter_partitions),
            "MUSTER_SESSION_SECONDS": str(self.settings.session_seconds),
            **more,
        }

    @asynccontextmanager
    async def process(
        self, stderr: int = asyncio.subprocess.DEVNULL, **environment: str
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """Have a process of it, killed at the end if it still runs."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.support.tally",
            cwd=Path(__file__).parents[2],
            env=self.environment(**environment),
            stderr=stderr,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def prepare_tally(kafka: str, dsn: str, prefix: str, **more: Any) -> Tally:
    """Make the tables and topics of a tally."""
    settings = Settings(
        **{
            "kafka": kafka,
            "postgres_dsn": dsn,
            "topic_prefix": prefix,
            "journal_partitions": 1,
            "topic_partitions": 2,
            "dead_letter_partitions": 1,
            "poll_ms": 50,
            **more,
        }
    )
    await topics.create(settings)
    database = await asyncpg.connect(dsn)
    await database.execute(TABLES)
    await database.close()
    return Tally(settings)


async def shortest_session(kafka: str) -> float:
    """In seconds, as the broker allows it: six where nobody has set anything."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        [broker] = [each["node_id"] for each in (await admin.describe_cluster())["brokers"]][:1]
        [response] = await admin.describe_configs(
            [ConfigResource(ConfigResourceType.BROKER, str(broker), {"group.min.session.timeout.ms": ""})]
        )
        [(_, _, _, _, [entry])] = response.resources
        return max(2.0, int(entry[1]) / 1000)
    finally:
        await admin.close()


@asynccontextmanager
async def compose(_resources: Resources) -> AsyncIterator[Service]:
    yield Service(TallyProjection())


if __name__ == "__main__":
    run("tally", compose, "Counts requests.")
