"""Reading topics from their end on, without a group: for processes that each need to see everything that happens.

Nothing is stored and nothing is owed; whoever needs certainty looks into a table. What may have been missed is told.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import Topic
from worker import clients, retry, topics
from worker.failures import describe
from worker.progress import Progress
from worker.settings import Settings

log = structlog.get_logger(__name__)

POLL_MS = 1000
STEADY_SECONDS = 60.0
KAFKA_SECONDS = 10.0
LOOK_EVERY_SECONDS = 10.0
AT_ONCE = 200
"""Records between two turns of the event loop."""


class Raw(Protocol):
    """A record as aiokafka gives it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


@asynccontextmanager
async def consuming(settings: Settings, client: str, **fetching: int) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer without a group, for partitions that it is assigned by hand; `fetching` are aiokafka's settings."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka,
        client_id=f"muster-{client}",
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        **fetching,
    )
    try:
        await clients.start(consumer)
        yield consumer
    finally:
        await clients.stop(consumer)


class Silence:
    """Tells a topic on which nothing happens from a consumer to which nothing comes any more, as has been reported."""

    def __init__(self) -> None:
        self._looked_at = time.monotonic()
        self._behind: dict[TopicPartition, int] = {}

    async def check(self, consumer: AIOKafkaConsumer) -> None:
        """Raise `TimeoutError` for a partition that has more, and gave nothing since the look before this one."""
        if time.monotonic() - self._looked_at < LOOK_EVERY_SECONDS:
            return
        self._looked_at = time.monotonic()
        async with asyncio.timeout(KAFKA_SECONDS):
            ends = await consumer.end_offsets(list(consumer.assignment()))
            places = {each: await consumer.position(each) for each in ends}
        behind = {each: place for each, place in places.items() if place < ends[each]}
        if behind.items() & self._behind.items():
            raise TimeoutError
        self._behind = behind


class Tail:
    """Gives each new record of some topics to `take`, and calls `missed` where it may have left some out."""

    def __init__(
        self,
        settings: Settings,
        client: str,
        wanted: Sequence[Topic],
        take: Callable[[Topic, Raw], None],
        missed: Callable[[], None],
        progress: Progress,
    ) -> None:
        self._settings = settings
        self._client = client
        self._topics = {settings.topic_name(topic): topic for topic in wanted}
        self._take = take
        self._missed = missed
        self._progress = progress
        self._positions: dict[TopicPartition, int] = {}

    async def run(self) -> None:
        """Read, and begin again after trouble, from where it was; runs until cancelled."""
        attempt = 0
        while True:
            began = time.monotonic()
            try:
                async with consuming(self._settings, self._client) as consumer:
                    await self._read(consumer)
            except Exception as error:  # noqa: BLE001 - whatever it is, it begins again, and says so
                attempt = 1 if time.monotonic() - began > STEADY_SECONDS else attempt + 1
                log.warning("tail_broke", error=describe(error), attempt=attempt)
            self._progress.turn("waiting")
            self._progress.move()
            await asyncio.sleep(retry.delay(attempt, random.random()))  # noqa: S311 - not for secrets

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        await self._begin(consumer)
        silence = Silence()
        while True:
            self._progress.turn("consuming")
            fetched: Mapping[TopicPartition, Sequence[Raw]] = await consumer.getmany(
                timeout_ms=POLL_MS, max_records=AT_ONCE
            )
            for place, records in fetched.items():
                for record in records:
                    self._take(self._topics[place.topic], record)
                self._positions[place] = records[-1].offset + 1
            self._progress.move()
            if fetched:
                await asyncio.sleep(0)
            else:
                await silence.check(consumer)

    async def _begin(self, consumer: AIOKafkaConsumer) -> None:
        """Go on where it was, or at the end of a log that it does not know or that no longer reaches there."""
        places = await topics.partitions(self._settings, *self._topics.values())
        consumer.assign(places)
        async with asyncio.timeout(KAFKA_SECONDS):
            begins = await consumer.beginning_offsets(places)
            ends = await consumer.end_offsets(places)
        known = self._positions
        self._positions = {
            each: known[each] if begins[each] <= known.get(each, -1) <= ends[each] else ends[each]
            for each in places
        }
        for each, position in self._positions.items():
            consumer.seek(each, position)
        if any(known.get(each) != position for each, position in self._positions.items()):
            self._missed()
