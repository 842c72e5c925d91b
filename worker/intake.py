"""Reading from Kafka, ahead of the work where there is much to read, and never with a gap."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError

from schemas.topics import Topic
from worker.batch import Batch, joined
from worker.reading import Raw, Reader
from worker.records import Span
from worker.settings import Settings

KAFKA_SECONDS = 5.0
PROBE_EVERY_SECONDS = 10.0
QUIET_POLL_MS = 1000
"""How long a wait for records lasts after one that brought none, when everything is tidy already."""
FEW = 100
"""Records that are read in a few milliseconds."""
NOTHING = Batch((), ())


class Intake:
    """Reads some partitions, each from where its position says."""

    def __init__(
        self,
        settings: Settings,
        kafka: AIOKafkaConsumer,
        begins: Mapping[TopicPartition, tuple[Topic, int]],
        reader: Reader,
        is_current: Callable[[], bool],
        change: Callable[[], "asyncio.Future[None]"],
    ) -> None:
        self._settings = settings
        self._kafka = kafka
        self._topics = {each: topic for each, (topic, _) in begins.items()}
        self._read_to = {each: begin for each, (_, begin) in begins.items()}
        self._is_current = is_current
        self._change = change
        self._reader = reader
        self._ahead: asyncio.Task[Batch] | None = None
        self._quiet = False
        self._held = False
        self._probed_at = time.monotonic()
        kafka.resume(*self._read_to)  # an intake that was thrown away may have held them
        for each, begin in self._read_to.items():
            kafka.seek(each, begin)

    def read_ahead(self) -> None:
        """Begin to read the next batch, if that has not begun."""
        if self._ahead is None:
            self._let_go()
            timeout_ms = QUIET_POLL_MS if self._quiet else self._settings.poll_ms
            self._ahead = asyncio.create_task(self._read(timeout_ms, may_hold=True))

    async def next(self) -> Batch:
        """The next records; an empty batch after a while without any.

        By itself aiokafka fetches again as soon as records are taken, is given the first that comes, and fetches no
        more until that is taken: what else comes in during a batch waits at the broker for a fetch and a batch longer.
        So after few records nothing is fetched until the next ones are asked for, and then all that there is.
        """
        self.read_ahead()
        batch = await self._read_ahead()
        self._quiet = not batch.records
        if FEW < len(batch.records) < self._settings.batch_records:
            self._ahead = asyncio.create_task(self._read(0))
            batch = joined(batch, await self._read_ahead())
        return batch

    async def of(self, partitions: Collection[TopicPartition]) -> Batch:
        """What is there of these partitions, at most a batch, while nothing else reads of them.

        Nothing where partitions come or go meanwhile: aiokafka answers nobody until that is through, and it is not
        through before who is at work has ended.
        """
        if not self._is_current():
            return NOTHING
        reading = asyncio.create_task(self._read(0, *partitions))
        either: set[asyncio.Future[Any]] = {reading, self._change()}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            return reading.result() if reading.done() else NOTHING
        finally:
            reading.cancel()

    async def _read_ahead(self) -> Batch:
        assert self._ahead is not None
        batch = await asyncio.shield(self._ahead)
        self._ahead = None
        return batch

    async def gaps(self) -> Batch:
        """What lies between the last record and Kafka's position: control records and aborted transactions.

        They have to be stepped over, or a position is left behind when the log's old end is deleted. Empty unless the
        loop is idle: while something is being read, Kafka's position is ahead of what was handed on.
        """
        if self._ahead is not None:
            return NOTHING
        ends = {each: await self._kafka.position(each) for each in self._read_to}
        spans = [
            Span(self._topics[each], each.partition, self._read_to[each], end)
            for each, end in ends.items()
            if end > self._read_to[each]
        ]
        self._read_to.update(ends)
        return Batch((), spans)

    async def is_at_the_end(self) -> bool:
        """Ask Kafka, now and then, whether there is nothing more to read; in between it is taken for granted."""
        if time.monotonic() - self._probed_at < PROBE_EVERY_SECONDS:
            return True
        async with asyncio.timeout(KAFKA_SECONDS):
            ends: Mapping[TopicPartition, int] = await self._kafka.end_offsets(list(self._read_to))
        behind = any(self._read_to[each] < end for each, end in ends.items())
        if not behind:
            self._probed_at = time.monotonic()
        return not behind

    def waiting_records(self, partition: TopicPartition) -> int:
        """How many offsets lie between what was read and the end, as far as Kafka has told."""
        end = self._kafka.last_stable_offset(partition)
        return max(0, (end or 0) - self._read_to[partition])

    async def drop(self) -> None:
        """Throw away what was read."""
        if self._ahead is not None:
            self._ahead.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._ahead

    async def _read(self, timeout_ms: int, *partitions: TopicPartition, may_hold: bool = False) -> Batch:
        fetched: dict[TopicPartition, Sequence[Raw]] = await self._kafka.getmany(
            *partitions, timeout_ms=timeout_ms, max_records=self._settings.batch_records
        )
        if not self._is_current():
            return NOTHING
        if may_hold and 0 < sum(map(len, fetched.values())) <= min(FEW, self._settings.batch_records - 1):
            self._hold()  # before the fetcher's turn comes
        batch = await self._reader.read(fetched, self._read_to)
        self._read_to.update({each: records[-1].offset + 1 for each, records in fetched.items()})
        return batch

    def _hold(self) -> None:
        """Fetch nothing until more is wanted."""
        self._held = True
        with suppress(IllegalStateError):  # they are being taken away
            self._kafka.pause(*self._read_to)

    def _let_go(self) -> None:
        held, self._held = self._held, False
        if held:
            with suppress(IllegalStateError):
                self._kafka.resume(*self._read_to)
