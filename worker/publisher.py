"""Publishing: every event acknowledged by all replicas, in order per key, or an exception and all of it again.

An idempotent producer is of no more use for a partition after a batch that cannot be retried has failed (every later
one is out of sequence), so after any failure the producer is given up, and the next publication makes a new one.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Literal

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder
from msgspec import Struct

from schemas.envelope import CONTENT_TYPE
from schemas.topics import MAX_EVENT_BYTES, Topic
from worker import clients, metrics
from worker.failures import NotPublished, describe
from worker.records import Headers, Outgoing
from worker.routing import partition_of
from worker.settings import Settings

log = structlog.get_logger(__name__)

EVENT_HEADERS: Headers = [("content-type", CONTENT_TYPE.encode())]
BATCH_BYTES = 256 * 1024
"""With one batch per partition and request, this is what sets the rate: 59,000 records/s against 32,000 at 16 KiB."""
CLOSE_SECONDS = 5.0


class TooLarge(Exception):
    """An event is larger than readers accept. The service that made it has to be mended."""


class Letter(Struct, frozen=True, gc=False):
    """A record as it goes to Kafka."""

    topic: Topic
    key: bytes | None
    value: bytes | None
    headers: Headers


class Landed(Struct, frozen=True, gc=False):
    """Where a record that was sent is now."""

    partition: int
    offset: int


def check_size(events: Sequence[Outgoing]) -> None:
    """Raise `TooLarge` before anything is stored that could never be published."""
    for event in events:
        if len(event.value) > MAX_EVENT_BYTES:
            raise TooLarge(f"an event for {event.topic.name} has {len(event.value)} bytes")


class Publisher:
    """The way out of a process. May be used by several tasks; each publication is awaited in full."""

    def __init__(
        self, settings: Settings, client_id: str, compression: Literal["gzip"] | None = None
    ) -> None:
        self._settings = settings
        self._client_id = client_id
        self._compression = compression
        self._producer: AIOKafkaProducer | None = None
        self._one_at_a_time = asyncio.Lock()

    async def publish(self, events: Sequence[Outgoing]) -> None:
        """Publish events, and return when all are acknowledged. Raises `TooLarge` and `NotPublished`."""
        check_size(events)
        await self.send(
            [Letter(each.topic, each.tenant_id.encode(), each.value, EVENT_HEADERS) for each in events]
        )

    async def send(self, letters: Sequence[Letter]) -> list[Landed]:
        """Send records as they are, and say where each of them is now. Raises `NotPublished`."""
        if not letters:
            return []
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(self._settings.publish_seconds):
                    landed = await self._deliver(await self._ready(), letters)
            except (KafkaError, OSError, TimeoutError) as error:
                await self._discard()
                raise NotPublished(f"{len(letters)} records: {describe(error)}") from error
            except BaseException:
                await self._discard()
                raise
        for topic, number in Counter(letter.topic.name for letter in letters).items():
            metrics.PUBLISHED.labels(topic).inc(number)
        return landed

    async def close(self) -> None:
        """Stop the producer; what was not acknowledged is published again by whoever comes next."""
        async with self._one_at_a_time:
            await self._discard()

    async def _ready(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._settings.kafka,
                client_id=self._client_id,
                enable_idempotence=True,
                acks="all",
                linger_ms=0,
                max_batch_size=BATCH_BYTES,
                compression_type=self._compression,
            )
            self._producer = producer
            await clients.start(producer)
        return self._producer

    async def _discard(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError, OSError, TimeoutError):
                await asyncio.wait_for(producer.stop(), CLOSE_SECONDS)

    async def _deliver(self, producer: AIOKafkaProducer, letters: Sequence[Letter]) -> list[Landed]:
        places = await self._by_place(producer, letters)
        offsets = await asyncio.gather(
            *(
                _deliver_in_order(producer, *place, [letters[number] for number in numbers])
                for place, numbers in places.items()
            )
        )
        landed = {
            number: Landed(partition, offset)
            for ((_, partition), numbers), some in zip(places.items(), offsets, strict=True)
            for number, offset in zip(numbers, some, strict=True)
        }
        return [landed[number] for number in range(len(letters))]

    async def _by_place(
        self, producer: AIOKafkaProducer, letters: Sequence[Letter]
    ) -> Mapping[tuple[str, int], Sequence[int]]:
        """The numbers of the letters that go to each partition, in order."""
        names = {letter.topic.name: self._settings.topic_name(letter.topic) for letter in letters}
        counts = {name: len(await producer.partitions_for(name)) for name in names.values()}
        places: dict[tuple[str, int], list[int]] = {}
        for number, letter in enumerate(letters):
            topic = names[letter.topic.name]
            partition = 0 if letter.key is None else partition_of(letter.key, counts[topic])
            places.setdefault((topic, partition), []).append(number)
        return places


async def _deliver_in_order(
    producer: AIOKafkaProducer, topic: str, partition: int, letters: Sequence[Letter]
) -> list[int]:
    """The offsets at which they are now."""
    batches = _batches(producer, letters)
    sizes = [batch.record_count() for batch in batches]
    acknowledgements = [await producer.send_batch(batch, topic, partition=partition) for batch in batches]
    firsts = await asyncio.gather(*acknowledgements)
    return [
        first.offset + number for first, size in zip(firsts, sizes, strict=True) for number in range(size)
    ]


def _batches(producer: AIOKafkaProducer, letters: Sequence[Letter]) -> Sequence[BatchBuilder]:
    batches = [producer.create_batch()]
    for letter in letters:
        if not _append(batches[-1], letter):
            batches.append(producer.create_batch())
            _append(batches[-1], letter)
    for batch in batches:
        batch.close()
    return batches


def _append(batch: BatchBuilder, letter: Letter) -> bool:
    added = batch.append(timestamp=None, key=letter.key, value=letter.value, headers=list(letter.headers))
    return added is not None
