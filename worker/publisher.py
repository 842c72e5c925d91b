"""Publishing: every event acknowledged by all replicas, in order per key, or an exception and all of it again.

An idempotent producer is of no more use for a partition after a batch that cannot be retried has failed (every later
one is out of sequence), so after any failure the producer is given up, and the next publication makes a new one.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import chain
from typing import Literal, NamedTuple

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


class Published(Struct, gc=False):
    """An event of this process that all replicas have, and where it is."""

    topic: Topic
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


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
        self._listener: Callable[[Published], None] | None = None

    def listen(self, listener: Callable[[Published], None]) -> None:
        """Have this called with each event that is published from now on, in order per partition. It may not raise."""
        self._listener = listener

    async def publish(self, events: Sequence[Outgoing]) -> None:
        """Publish events, and return when all are acknowledged. Raises `TooLarge` and `NotPublished`."""
        check_size(events)
        letters = [Letter(each.topic, each.tenant_id.encode(), each.value, EVENT_HEADERS) for each in events]
        sent = await self._send(letters)
        if self._listener is not None:
            for each in sent:
                for number, offset in zip(each.numbers, chain.from_iterable(each.offsets), strict=True):
                    letter = letters[number]
                    self._listener(Published(letter.topic, each.partition, offset, letter.key, letter.value))

    async def send(self, letters: Sequence[Letter]) -> list[Landed]:
        """Send records as they are, and say where each of them is now. Raises `NotPublished`."""
        landed = {
            number: Landed(sent.partition, offset)
            for sent in await self._send(letters)
            for number, offset in zip(sent.numbers, chain.from_iterable(sent.offsets), strict=True)
        }
        return [landed[number] for number in range(len(letters))]

    async def _send(self, letters: Sequence[Letter]) -> Sequence["_Sent"]:
        if not letters:
            return ()
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(self._settings.publish_seconds):
                    sent = await self._deliver(await self._ready(), letters)
            except (KafkaError, OSError, TimeoutError) as error:
                await self._discard()
                raise NotPublished(f"{len(letters)} records: {describe(error)}") from error
            except BaseException:
                await self._discard()
                raise
        for each in sent:
            metrics.PUBLISHED.labels(each.topic.name).inc(len(each.numbers))
        return sent

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

    async def _deliver(self, producer: AIOKafkaProducer, letters: Sequence[Letter]) -> Sequence["_Sent"]:
        places = await self._by_place(producer, letters)
        offsets = await asyncio.gather(
            *(
                _deliver_in_order(
                    producer,
                    self._settings.topic_name(topic),
                    partition,
                    [letters[number] for number in numbers],
                )
                for topic, partition, numbers in places
            )
        )
        return [_Sent(*place, each) for place, each in zip(places, offsets, strict=True)]

    async def _by_place(
        self, producer: AIOKafkaProducer, letters: Sequence[Letter]
    ) -> Sequence[tuple[Topic, int, Sequence[int]]]:
        """The numbers of the letters that go to each partition, in order."""
        topics = {letter.topic.name: letter.topic for letter in letters}
        counts = {
            name: len(await producer.partitions_for(self._settings.topic_name(topic)))
            for name, topic in topics.items()
        }
        places: dict[tuple[str, int], list[int]] = {}
        for number, letter in enumerate(letters):
            name = letter.topic.name
            partition = 0 if letter.key is None else partition_of(letter.key, counts[name])
            places.setdefault((name, partition), []).append(number)
        return [(topics[name], partition, numbers) for (name, partition), numbers in places.items()]


class _Sent(NamedTuple):
    """What went to one partition: the numbers of its letters, and their offsets, a range for each batch."""

    topic: Topic
    partition: int
    numbers: Sequence[int]
    offsets: Sequence[range]


async def _deliver_in_order(
    producer: AIOKafkaProducer, topic: str, partition: int, letters: Sequence[Letter]
) -> Sequence[range]:
    """The offsets at which they are now, batch by batch."""
    batches = _batches(producer, letters)
    sizes = [batch.record_count() for batch in batches]
    acknowledgements = [await producer.send_batch(batch, topic, partition=partition) for batch in batches]
    firsts = await asyncio.gather(*acknowledgements)
    return [range(first.offset, first.offset + size) for first, size in zip(firsts, sizes, strict=True)]


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
