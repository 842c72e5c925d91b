"""A notifier with topics and tables of its own, in this process or as one that can be killed."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import ConsumerRecord
from pydantic import SecretStr

from schemas.topics import PROGRESS
from services.notifier.app import compose
from tests.support.eventually import eventually
from tests.support.watching.story import Input
from worker import topics
from worker.app import serve
from worker.settings import Settings


@dataclass
class Notifier:
    """How to feed it, run it and look at what it published."""

    settings: Settings

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.settings.http_port}"

    @property
    def progress(self) -> str:
        return self.settings.topic_name(PROGRESS)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run it in this event loop, and stop it in order at the end."""
        stopping = asyncio.Event()
        task = asyncio.create_task(serve("notifier", compose, self.settings, stopping))
        try:
            await eventually(lambda: task.done() or self.is_ready(), timeout=60)
            yield
        finally:
            stopping.set()
            await task

    async def start_process(self) -> asyncio.subprocess.Process:
        """Start a process of it; the caller ends it."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.notifier",
            cwd=Path(__file__).parents[3],
            env=os.environ
            | {
                "MUSTER_KAFKA": self.settings.kafka,
                "MUSTER_POSTGRES_DSN": self.settings.postgres_dsn.get_secret_value(),
                "MUSTER_TOPIC_PREFIX": self.settings.topic_prefix,
                "MUSTER_TOPIC_PARTITIONS": str(self.settings.topic_partitions),
                "MUSTER_JOURNAL_PARTITIONS": str(self.settings.journal_partitions),
                "MUSTER_DEAD_LETTER_PARTITIONS": str(self.settings.dead_letter_partitions),
                "MUSTER_SESSION_SECONDS": str(self.settings.session_seconds),
                "MUSTER_HTTP_PORT": str(self.settings.http_port),
                "MUSTER_DEMO": "true",
            },
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def is_ready(self) -> bool:
        _, writer = await asyncio.open_connection("127.0.0.1", self.settings.http_port)
        writer.close()
        return True

    @asynccontextmanager
    async def producing(self) -> AsyncIterator[AIOKafkaProducer]:
        async with AIOKafkaProducer(
            bootstrap_servers=self.settings.kafka, enable_idempotence=True, linger_ms=5
        ) as producer:
            yield producer

    async def tell(self, *inputs: Input) -> None:
        """Publish inputs as portal backends and the resolver do; the broker gives them their timestamps."""
        async with self.producing() as producer:
            await self.send(producer, inputs)

    async def send(self, producer: AIOKafkaProducer, inputs: Sequence[Input]) -> None:
        sent = [
            await producer.send(
                self.settings.topic_name(each.topic), each.value, key=each.event.tenant_id.encode()
            )
            for each in inputs
        ]
        for each in sent:
            await each

    async def published(self) -> list[ConsumerRecord]:
        """Everything on `muster.progress`, per partition in order."""
        async with AIOKafkaConsumer(
            bootstrap_servers=self.settings.kafka, auto_offset_reset="earliest"
        ) as kafka:
            places = [TopicPartition(self.progress, each) for each in range(self.settings.topic_partitions)]
            kafka.assign(places)
            ends = await kafka.end_offsets(places)
            found: list[ConsumerRecord] = []
            while any([await kafka.position(each) < ends[each] for each in places]):
                for some in (await kafka.getmany(timeout_ms=500)).values():
                    found += some
            return found

    async def forget_before(self, partition: int, offset: int) -> None:
        """Delete what is older from `muster.progress`, as its retention does in time."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.settings.kafka)
        await admin.start()
        try:
            place = TopicPartition(self.progress, partition)
            await admin.delete_records({place: RecordsToDelete(before_offset=offset)})
        finally:
            await admin.close()


async def prepare_notifier(kafka: str, dsn: str, prefix: str, **more: Any) -> Notifier:
    """Make the topics of a notifier, and choose a port that is free now."""
    settings = Settings(
        **{
            "kafka": kafka,
            "postgres_dsn": SecretStr(dsn),
            "topic_prefix": prefix,
            "journal_partitions": 1,
            "topic_partitions": 2,
            "dead_letter_partitions": 1,
            "session_seconds": 6,
            "poll_ms": 50,
            "demo": True,
            "http_port": free_port(),
            **more,
        }
    )
    await topics.create(settings)
    return Notifier(settings)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
