"""What a stream has missed, read from Kafka by a short-lived consumer; few at a time."""

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from schemas.topics import PROGRESS
from services.notifier import metrics
from services.notifier.telling import Raw, Told, told
from worker.settings import Settings
from worker.tail import consuming

AT_ONCE = 4
CHUNK = 1000
"""The most events of a tenant that one reading brings into memory."""
READ_SECONDS = 30.0
POLL_MS = 200


class Forgotten(Exception):
    """The topic does not reach from there to here; `why` is a word for the metrics."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class CatchUp:
    """Reads a tenant's events between two places of `muster.progress`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def read(self, tenant_id: str, partition: int, since: int, until: int) -> tuple[list[Told], int]:
        """The tenant's events from `since` on, and the place up to which they are complete: `until` or before it.

        Raises `Forgotten`, and what Kafka raises; takes 30 seconds at most.
        """
        place = TopicPartition(self._settings.topic_name(PROGRESS), partition)
        async with (
            self._turns,
            asyncio.timeout(READ_SECONDS),
            consuming(self._settings, "notifier-catch-up") as consumer,
        ):
            metrics.CATCH_UPS.inc()
            await _seek(consumer, place, since)
            try:
                return await _read(consumer, place, tenant_id, until)
            except OffsetOutOfRangeError:
                raise Forgotten("expired") from None

    async def check(self, partition: int, position: int) -> None:
        """Raise `Forgotten` for a place that the topic has not come to."""
        place = TopicPartition(self._settings.topic_name(PROGRESS), partition)
        async with (
            self._turns,
            asyncio.timeout(READ_SECONDS),
            consuming(self._settings, "notifier-catch-up") as consumer,
        ):
            if position > (await consumer.end_offsets([place]))[place]:
                raise Forgotten("unknown")


async def _seek(consumer: AIOKafkaConsumer, place: TopicPartition, since: int) -> None:
    consumer.assign([place])
    if since < (await consumer.beginning_offsets([place]))[place]:
        raise Forgotten("expired")
    consumer.seek(place, since)


async def _read(
    consumer: AIOKafkaConsumer, place: TopicPartition, tenant_id: str, until: int
) -> tuple[list[Told], int]:
    key = tenant_id.encode()
    found: list[Told] = []
    while (position := await consumer.position(place)) < until and len(found) < CHUNK:
        fetched = await consumer.getmany(place, timeout_ms=POLL_MS, max_records=CHUNK)
        records: list[Raw] = fetched.get(place, [])
        events = [told(each) for each in records if each.key == key and each.offset < until]
        found += [each for each in events if each is not None]
        await asyncio.sleep(0)
    return found, min(position, until)
