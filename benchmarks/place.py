"""A place to measure in: a fresh database and fresh topics on the stack of this run, and services as processes."""

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
from pydantic import SecretStr

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

    @asynccontextmanager
    async def service(self, name: str) -> AsyncIterator["RunningService"]:
        """A service as a process of its own, from ready to its orderly end."""
        ready = self.folder / f"{self.settings.topic_prefix}{name}.ready"
        variables = {
            "MUSTER_KAFKA": self.settings.kafka,
            "MUSTER_POSTGRES_DSN": self.dsn,
            "MUSTER_TOPIC_PREFIX": self.settings.topic_prefix,
            "MUSTER_LOG_FORMAT": "json",
            "MUSTER_DEMO": "true",
            "MUSTER_READY_FILE": str(ready),
        }
        process = ServerProcess(f"bench-{name}", self.folder, variables=variables)
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
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def fresh_place(addresses: Addresses, folder: Path) -> AsyncIterator[Place]:
    """A migrated database that is dropped at the end, and topics with a prefix of their own."""
    name = f"bench_{uuid4().hex[:8]}"
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    server = await asyncpg.connect(addresses.postgres)
    await server.execute(f"CREATE DATABASE {name}")
    try:
        dsn = addresses.postgres.rpartition("/")[0] + f"/{name}"
        settings = Settings(kafka=addresses.kafka, postgres_dsn=SecretStr(dsn), topic_prefix=f"{name}.")
        await migrate(dsn)
        await topics.create(settings)
        yield Place(settings, logs)
    finally:
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await server.close()
