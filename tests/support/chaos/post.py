"""A producer that does not give up, and remembers what the broker has acknowledged."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from schemas.envelope import CONTENT_TYPE
from schemas.topics import Topic
from worker.settings import Settings

AGAIN_AFTER_SECONDS = 0.2
PATIENCE_SECONDS = 10.0
EVENT: tuple[tuple[str, bytes], ...] = (("content-type", CONTENT_TYPE.encode()),)


@dataclass(frozen=True, slots=True)
class Sending:
    """A record on its way. Without a partition its key decides, as every producer's default has it."""

    topic: Topic
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = EVENT
    partition: int | None = None


class Post:
    """Sends; `sent` is what was acknowledged, in that order. What was not is sent again, so it may be there twice."""

    def __init__(self, settings: Settings) -> None:
        self.sent: list[Sending] = []
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._making = asyncio.Lock()

    async def send(self, sending: Sending) -> None:
        """Return when it is acknowledged, however long that takes."""
        while True:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._try(sending)
            except MessageSizeTooLargeError:
                raise
            except (KafkaError, OSError, TimeoutError):
                await self.close()
                await asyncio.sleep(AGAIN_AFTER_SECONDS)
            else:
                self.sent.append(sending)
                return

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError, OSError, TimeoutError):
                await asyncio.wait_for(producer.stop(), 1)

    async def _try(self, sending: Sending) -> None:
        producer = await self._ready()
        await producer.send_and_wait(
            self._settings.topic_name(sending.topic),
            sending.value,
            key=sending.key,
            headers=list(sending.headers),
            partition=sending.partition,
        )

    async def _ready(self) -> AIOKafkaProducer:
        async with self._making:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._settings.kafka,
                    enable_idempotence=True,
                    acks="all",
                    max_request_size=8 * 2**20,
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer


@asynccontextmanager
async def open_post(settings: Settings) -> AsyncIterator[Post]:
    post = Post(settings)
    try:
        yield post
    finally:
        await post.close()
