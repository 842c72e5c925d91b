"""An operator at work: services that run in this very process, and the `muster` command beside them."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr
from typer.testing import CliRunner

from ops.cli import command_line
from schemas.codec import decode, encode
from schemas.envelope import EventData
from schemas.outcomes import OutcomeRecorded
from schemas.topics import JOURNAL, OUTCOMES, Topic
from services.importer.app import compose as importer
from services.importer.settings import ImporterSettings
from services.notifier.app import compose as notifier
from services.resolver.app import compose as resolver
from tests.support.eventually import eventually
from tests.support.logs import read_back
from tests.support.processes import variables_of
from worker import topics
from worker.app import Compose, serve
from worker.routing import partition_of

SERVICES: dict[str, Compose] = {"importer": importer, "resolver": resolver, "notifier": notifier}


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out.splitlines()[-1])  # services in this process may have logged meanwhile


@dataclass
class Office:
    """Topics and tables of a test's own."""

    settings: ImporterSettings
    folder: Path

    @asynccontextmanager
    async def running(self, *names: str) -> AsyncIterator[None]:
        """Have services run, each as its process would, and be ready; they stop in order."""
        stopping = asyncio.Event()
        ready = {name: self.folder / f"{name}-{uuid4()}.ready" for name in names}
        tasks = [
            asyncio.create_task(
                serve(
                    name,
                    SERVICES[name],
                    self.settings.model_copy(update={"ready_file": ready[name]}),
                    stopping,
                )
            )
            for name in names
        ]
        try:
            await eventually(lambda: all(file.exists() for file in ready.values()), timeout=30)
            yield
        finally:
            stopping.set()
            await asyncio.gather(*tasks)

    async def muster(self, *words: str, columns: int = 120) -> Said:
        """Run a verb."""
        environment = {"COLUMNS": str(columns), "MUSTER_OPERATOR": "ada@desk", **variables_of(self.settings)}

        def run() -> Said:
            done = CliRunner().invoke(command_line(words[0]), words, env=environment)
            return Said(done.exit_code, done.stdout, done.stderr)

        return await asyncio.to_thread(run)

    async def interrupted(self, *words: str, after: int) -> Said:
        """Run a verb as a process of its own, and press Ctrl-C as soon as it has said so many lines."""
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("muster"),
            *words,
            env={**os.environ, **variables_of(self.settings)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        begun = [await asyncio.wait_for(process.stdout.readline(), 20) for _ in range(after)]
        process.send_signal(signal.SIGINT)
        rest, err = await asyncio.wait_for(process.communicate(), 20)
        return Said(process.returncode or 0, b"".join([*begun, rest]).decode(), err.decode())

    async def killed(self, *words: str, when: Callable[[], Awaitable[bool]]) -> bool:
        """Run a verb as a process of its own, and kill it as soon as that is so; whether it came to that."""
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("muster"),
            *words,
            env={**os.environ, **variables_of(self.settings)},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await eventually(when, timeout=30, interval=0.005)
        if process.returncode is None:
            process.kill()
        return await process.wait() == -signal.SIGKILL

    async def publish(
        self,
        data: EventData | bytes,
        tenant_id: str,
        event_id: str = "e",
        *,
        topic: Topic = JOURNAL,
        key: bytes | None = None,
        astray: bool = False,
    ) -> tuple[int, int]:
        """Publish an event, or any bytes, where its key belongs or `astray`; its partition and offset."""
        value = data if isinstance(data, bytes) else event(data, tenant_id, event_id)
        key, count = key or tenant_id.encode(), self.settings.partitions(topic)
        partition = (partition_of(key, count) + astray) % count
        async with AIOKafkaProducer(bootstrap_servers=self.settings.kafka) as producer:
            done = await producer.send_and_wait(
                self.settings.topic_name(topic),
                value,
                key=key,
                partition=partition,
                headers=[("trace", b"1")],
            )
        return done.partition, done.offset

    async def outcomes(self) -> list[OutcomeRecorded]:
        """Everything that was published of the journal, as often as it was."""
        [records] = await read_back(self.settings, OUTCOMES)
        return [decode(each.value, OUTCOMES).data for each in records]

    async def came_to(self, event_id: str, number: int = 1) -> list[tuple[str, str | None]]:
        """Result and reason of the record's outcomes, as soon as so many are published."""

        async def enough() -> list[OutcomeRecorded] | None:
            found = [each for each in await self.outcomes() if each.record and each.record.id == event_id]
            return found if len(found) >= number else None

        return [(each.result, each.reason) for each in await eventually(enough, timeout=20)]

    async def letters(self, topic: Topic, number: int) -> Sequence[Any]:
        """The dead letters of a topic, as soon as there are so many."""

        async def enough() -> Sequence[Any] | None:
            [found] = await read_back(self.settings, topic.dead_letters or topic)
            return found if len(found) >= number else None

        return await eventually(enough, timeout=20)

    async def fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        database = await asyncpg.connect(self.settings.postgres_dsn.get_secret_value())
        try:
            return await database.fetch(statement, *arguments)
        finally:
            await database.close()


async def open_office(kafka: str, dsn: str, prefix: str, folder: Path, **more: Any) -> Office:
    """Make the topics; the database is migrated."""
    settings = ImporterSettings(
        **{
            "kafka": kafka,
            "postgres_dsn": SecretStr(dsn),
            "topic_prefix": prefix,
            "journal_partitions": 3,
            "topic_partitions": 2,
            "dead_letter_partitions": 1,
            "poll_ms": 50,
            "demo": True,
            **more,
        }
    )
    await topics.create(settings)
    return Office(settings, folder)


def event(data: EventData, tenant_id: str, event_id: str) -> bytes:
    """An event on the wire."""
    return encode(
        data,
        id=event_id,
        source="/tests",
        time="2026-01-01T00:00:00Z",
        subject="tests",
        tenant_id=tenant_id,
    )
