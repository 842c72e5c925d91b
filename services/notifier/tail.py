"""The live end of `muster.progress`: one consumer for the whole process, read by all streams.

What the process has published itself it need not wait to read back, where nobody else has published in between.
"""

import asyncio
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import PROGRESS
from services.notifier.telling import Raw, told
from services.notifier.window import Window
from worker import retry, topics
from worker.failures import describe
from worker.publisher import Published
from worker.routing import partition_of
from worker.settings import Settings
from worker.tail import AT_ONCE, KAFKA_SECONDS, POLL_MS, STEADY_SECONDS, Silence, consuming

log = structlog.get_logger(__name__)

REST_SECONDS = 0.02
"""Before it reads on where all was heard: by so much what others publish beside this process may be told later."""


class Tail:
    """Reads on for ever. What it reads is in the windows; whoever listens is woken."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = settings.topic_name(PROGRESS)
        self._windows: dict[int, Window] = {}
        self._listeners: dict[str, set[asyncio.Event]] = {}
        self.begun = asyncio.Event()
        self.is_over = False

    async def run(self) -> None:
        """Read, and begin again after trouble, from where it was. When it is cancelled streams are told to end."""
        try:
            await self._read_again_and_again()
        finally:
            self.is_over = True
            self._wake_all()

    def partition(self, tenant_id: str) -> int:
        """The tenant's partition; to be asked once it has `begun`."""
        return partition_of(tenant_id.encode(), len(self._windows))

    def window(self, partition: int) -> Window:
        return self._windows[partition]

    def hear(self, published: Published) -> None:
        """Take in an event of this process, if it is the next one of its partition; else it comes as all others do."""
        window = self._windows.get(published.partition) if published.topic == PROGRESS else None
        if window is not None and window.position == published.offset:
            self._take(window, [published])

    @contextmanager
    def listening(self, tenant_id: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever there is news of the tenant."""
        news = asyncio.Event()
        self._listeners.setdefault(tenant_id, set()).add(news)
        try:
            yield news
        finally:
            listeners = self._listeners[tenant_id]
            listeners.discard(news)
            if not listeners:
                del self._listeners[tenant_id]

    async def _read_again_and_again(self) -> None:
        attempt = 0
        while True:
            began = time.monotonic()
            try:
                async with consuming(self._settings, "notifier-tail") as consumer:
                    await self._read(consumer)
            except Exception as error:  # noqa: BLE001 - streams wait meanwhile, and the fold does not depend on this
                attempt = 1 if time.monotonic() - began > STEADY_SECONDS else attempt + 1
                log.warning("tail_broke", error=describe(error), attempt=attempt)
            await asyncio.sleep(retry.delay(attempt, random.random()))  # noqa: S311 - not for secrets

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        await self._begin(consumer)
        silence = Silence()
        while True:
            fetched: Mapping[TopicPartition, Sequence[Raw]] = await consumer.getmany(
                timeout_ms=POLL_MS, max_records=AT_ONCE
            )
            if not fetched:
                await silence.check(consumer)
                continue
            news = [self._take(self._windows[each.partition], records) for each, records in fetched.items()]
            if any(news):
                await asyncio.sleep(0)
            else:
                await self._rest(consumer)

    async def _rest(self, consumer: AIOKafkaConsumer) -> None:
        """Fetch nothing for a moment, in place of a fetch for each event of this process."""
        places = consumer.assignment()
        consumer.pause(*places)  # before the fetcher's turn comes
        await asyncio.sleep(REST_SECONDS)
        consumer.resume(*places)

    async def _begin(self, consumer: AIOKafkaConsumer) -> None:
        """Go on where each window ends, or at the log's end where there is none or the log no longer reaches there."""
        partitions = await topics.partitions(self._settings, PROGRESS)
        consumer.assign(partitions)
        async with asyncio.timeout(KAFKA_SECONDS):
            begins = await consumer.beginning_offsets(partitions)
            ends = await consumer.end_offsets(partitions)
        windows: dict[int, Window] = {}
        for each in partitions:
            window = self._windows.get(each.partition)
            if window is None or not begins[each] <= window.position <= ends[each]:
                window = Window(ends[each])
            windows[each.partition] = window
            consumer.seek(each, window.position)
        self._windows = windows
        self.begun.set()
        self._wake_all()

    def _take(self, window: Window, records: Sequence[Raw]) -> bool:
        """Put what was not heard into the window. False if all of it was."""
        unheard = [each for each in records if each.offset >= window.position]
        for record in unheard:
            event = told(record)
            if event is not None:
                window.add(event)
                for news in self._listeners.get(event.tenant_id, ()):
                    news.set()
            window.move(record.offset + 1)
        return bool(unheard)

    def _wake_all(self) -> None:
        for listeners in self._listeners.values():
            for news in listeners:
                news.set()
