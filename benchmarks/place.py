"""A place to measure in: a fresh database and fresh topics on the stack of this run, and services as processes."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
from pydantic import SecretStr

from benchmarks import usage
from ops.migrate import migrate
from stack.process import ServerProcess
from stack.settings import Addresses
from worker import topics
from worker.settings import Settings

READY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Place:
    """Where the run measures."""

    settings: Settings
    folder: Path

    @property
    def dsn(self) -> str:
        return self.settings.postgres_dsn.get_secret_value()

    def variables(self) -> dict[str, str]:
        """By which a process of Muster's works here."""
        return {
            "MUSTER_KAFKA": self.settings.kafka,
            "MUSTER_POSTGRES_DSN": self.dsn,
            "MUSTER_TOPIC_PREFIX": self.settings.topic_prefix,
        }

    @asynccontextmanager
    async def service(self, name: str, number: int = 1, **more: str) -> AsyncIterator["RunningService"]:
        """A service as a process of its own, from ready to its orderly end; `number` tells several of one name apart.

        `more` are variables that it needs of its own.
        """
        called = f"bench-{name}-{number}" if number > 1 else f"bench-{name}"
        ready = self.folder / f"{self.settings.topic_prefix}{called}.ready"
        variables = {
            **self.variables(),
            "MUSTER_LOG_FORMAT": "json",
            "MUSTER_DEMO": "true",
            "MUSTER_FILL_EMPTIED": "true",
            "MUSTER_READY_FILE": str(ready),
            **more,
        }
        process = ServerProcess(called, self.folder, variables=variables)
        await process.start(sys.executable, "-m", f"services.{name}")
        try:
            await process.until(ready.exists, READY_SECONDS)
            yield RunningService(process, json.loads(ready.read_text(encoding="utf-8"))["address"])
        finally:
            await process.stop()
            ready.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class RunningService:
    """A service that is ready."""

    process: ServerProcess
    address: str

    def cpu_seconds(self) -> float:
        """What it has used so far."""
        return usage.cpu_seconds(self.process.pid)

    def rss_bytes(self) -> int:
        """How much memory it has now."""
        return usage.rss_bytes(self.process.pid)


@asynccontextmanager
async def fresh_place(addresses: Addresses, folder: Path) -> AsyncIterator[Place]:
    """A migrated database that is dropped at the end, and topics with a prefix of their own."""
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    async with _database(addresses.postgres) as dsn:
        prefix = f"{dsn.rpartition('/')[2]}."
        settings = Settings(kafka=addresses.kafka, postgres_dsn=SecretStr(dsn), topic_prefix=prefix)
        await topics.create(settings)
        yield Place(settings, logs)


@asynccontextmanager
async def emptied(place: Place) -> AsyncIterator[Place]:
    """The same topics, with a migrated database that has nothing of them yet and is dropped at the end."""
    async with _database(place.dsn) as dsn:
        settings = place.settings.model_copy(update={"postgres_dsn": SecretStr(dsn)})
        yield Place(settings, place.folder)


@asynccontextmanager
async def _database(beside: str) -> AsyncIterator[str]:
    name = f"bench_{uuid4().hex[:8]}"
    server = await asyncpg.connect(beside)
    await server.execute(f"CREATE DATABASE {name}")
    try:
        dsn = beside.rpartition("/")[0] + f"/{name}"
        await migrate(dsn)
        yield dsn
    finally:
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await server.close()
