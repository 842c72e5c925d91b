"""The smallest honest portal backend: it publishes facts and commands, waits for outcomes, and reads the read side."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from schemas.codec import decode, encode
from schemas.envelope import CONTENT_TYPE, EventData
from schemas.fields import timestamp
from schemas.outcomes import OutcomeRecorded
from schemas.topics import JOURNAL, OUTCOMES, REQUESTS
from worker.settings import Settings

SOURCE = "/portal/demo"
PATIENCE_SECONDS = 60.0


class NoAnswer(Exception):
    """Nothing came within the time; is every service running? Their logs are in `.muster/logs`."""


@dataclass(slots=True)
class Portal:
    """A tenant's portal. Use `open_portal`."""

    tenant_id: str
    settings: Settings
    producer: AIOKafkaProducer
    database: "asyncpg.Connection[asyncpg.Record]"
    outcomes: list[OutcomeRecorded] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def tell(self, data: EventData, subject: str, event_id: str | None = None) -> OutcomeRecorded:
        """Publish to the journal, and wait for what it came to."""
        event_id = await self._publish(JOURNAL, data, subject, event_id)
        return await self.wait_for(
            lambda outcome: outcome.record is not None and outcome.record.id == event_id
        )

    async def request(self, data: EventData, subject: str) -> str:
        """Publish to the requests. Returns the import's id."""
        return await self._publish(REQUESTS, data, subject)

    async def wait_for(self, wanted: Callable[[OutcomeRecorded], bool]) -> OutcomeRecorded:
        """The first outcome that is wanted, of those that came and those to come. Raises `NoAnswer`."""
        seen = 0
        async with self._news:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    while True:
                        for outcome in self.outcomes[seen:]:
                            if wanted(outcome):
                                return outcome
                        seen = len(self.outcomes)
                        await self._news.wait()
            except TimeoutError:
                raise NoAnswer(f"no outcome within {PATIENCE_SECONDS:.0f} s") from None

    async def read(self, query: str, *arguments: object) -> Sequence[dict[str, Any]]:
        """Rows of the read side, as any reader sees them: of this tenant, and of no other."""
        async with self.database.transaction(readonly=True):
            await self.database.execute("SET LOCAL ROLE muster_reader")
            await self.database.execute("SELECT set_config('muster.tenant_id', $1, true)", self.tenant_id)
            return [dict(row) for row in await self.database.fetch(query, *arguments)]

    async def follow(self, consumer: AIOKafkaConsumer) -> None:
        """Gather the tenant's outcomes as they are published; runs until cancelled."""
        async for record in consumer:
            event = decode(record.value, OUTCOMES)
            if event.tenant_id == self.tenant_id and isinstance(event.data, OutcomeRecorded):
                async with self._news:
                    self.outcomes.append(event.data)
                    self._news.notify_all()

    async def _publish(self, topic: Any, data: EventData, subject: str, event_id: str | None = None) -> str:
        event_id = event_id or str(uuid4())
        value = encode(
            data,
            id=event_id,
            source=SOURCE,
            time=timestamp(int(datetime.now(UTC).timestamp() * 1000)),
            subject=subject,
            tenant_id=self.tenant_id,
        )
        await self.producer.send_and_wait(
            self.settings.topic_name(topic),
            value,
            key=self.tenant_id.encode(),
            headers=[("content-type", CONTENT_TYPE.encode())],
        )
        return event_id


@asynccontextmanager
async def open_portal(settings: Settings, tenant_id: str) -> AsyncIterator[Portal]:
    """A portal that has begun to follow its outcomes."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka, enable_idempotence=True, acks="all")
    consumer = AIOKafkaConsumer(
        settings.topic_name(OUTCOMES),
        bootstrap_servers=settings.kafka,
        isolation_level="read_committed",
        auto_offset_reset="latest",
    )
    database = await asyncpg.connect(settings.postgres_dsn.get_secret_value())
    await database.set_type_codec("jsonb", schema="pg_catalog", encoder=_dumps, decoder=orjson.loads)
    try:
        await producer.start()
        await consumer.start()
        await consumer.seek_to_end()
        portal = Portal(tenant_id, settings, producer, database)
        following = asyncio.create_task(portal.follow(consumer))
        try:
            yield portal
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
    finally:
        await consumer.stop()
        await producer.stop()
        await database.close()


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()
