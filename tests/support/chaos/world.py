"""Kafka, Postgres, sandbox and services of a test's own, any of which may be killed."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from pydantic import SecretStr

from ops.migrate import migrate
from stack.broker import Broker
from stack.kafka import EmbeddedKafka
from stack.postgres import EmbeddedPostgres
from stack.settings import StackSettings
from tests.support.processes import ServiceProcess, running_sandbox
from tests.support.system import connections_of
from worker import topics
from worker.projection import Database
from worker.settings import Settings

SERVICES = ("importer", "resolver", "notifier")
LOOKS_EVERY_SECONDS = 0.1


class Minder:
    """Keeps a service up, as whoever runs it would; what it finds ended, without having been killed, it notes."""

    def __init__(self, service: ServiceProcess) -> None:
        self.service = service
        self.ends: list[str] = []
        self.kills = 0
        self._busy = asyncio.Lock()

    async def watch(self) -> None:
        """Runs until cancelled."""
        while True:
            async with self._busy:
                if not self.service.running:
                    self.ends.append(f"{self.service.name} ended:\n{self.service.process.last_lines()}")
                    await self.service.launch()
            await asyncio.sleep(LOOKS_EVERY_SECONDS)

    async def kill(self, down_for: float) -> None:
        """Kill -9, and start it again after so many seconds."""
        async with self._busy:
            await self.service.kill()
            self.kills += 1
            await asyncio.sleep(down_for)
            await self.service.launch()


@dataclass(frozen=True, slots=True)
class World:
    """Everything there is. `practices` tells the XPM tenant of each of our tenants that is connected."""

    settings: Settings
    kafka: EmbeddedKafka
    postgres: EmbeddedPostgres
    sandbox: str
    practices: Mapping[str, str]
    minders: Mapping[str, Minder]
    folder: Path

    @property
    def dsn(self) -> str:
        return self.postgres.dsn

    @property
    def ends(self) -> list[str]:
        """What ended by itself."""
        return [each for minder in self.minders.values() for each in minder.ends]

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        connection = await asyncpg.connect(self.dsn)
        try:
            yield connection
        finally:
            await connection.close()

    def another(self, service: str) -> ServiceProcess:
        """One more process of a service, not started."""
        return ServiceProcess(service, self.settings, self.folder, process_name=f"{service}-2")


@asynccontextmanager
async def own_world(folder: Path, practices: Mapping[str, int]) -> AsyncIterator[World]:
    """Everything up, on an empty database, with made-up practices of so many records; the services are minded."""
    programs = StackSettings.from_environment()
    kafka = EmbeddedKafka(folder / "kafka", Broker(programs.programs, lambda _: None, programs.maven))
    postgres = EmbeddedPostgres(folder / "postgres")
    async with AsyncExitStack() as parts:
        for part in (kafka, postgres):
            parts.push_async_callback(part.stop)
        await asyncio.gather(kafka.start(), postgres.start())
        settings = settings_of(kafka, postgres)
        await asyncio.gather(migrate(postgres.dsn), topics.create(settings))
        sandbox = await parts.enter_async_context(running_sandbox(folder, practices))
        connections = await connections_of(sandbox)
        minders = {name: Minder(service(name, settings, folder, sandbox, connections)) for name in SERVICES}
        for minder in minders.values():
            parts.push_async_callback(minder.service.stop)
            await minder.service.launch()
        for minder in minders.values():
            await minder.service.ready()
        await parts.enter_async_context(minded(minders.values()))
        xpm = {tenant: each["xpm_tenant_id"] for tenant, each in connections.items()}
        yield World(settings, kafka, postgres, sandbox, xpm, minders, folder)


def settings_of(kafka: EmbeddedKafka, postgres: EmbeddedPostgres) -> Settings:
    """Small batches, so that there is much to be interrupted, and short waits for the dead."""
    return Settings(
        kafka=kafka.address,
        postgres_dsn=SecretStr(postgres.dsn),
        journal_partitions=6,
        topic_partitions=4,
        dead_letter_partitions=1,
        batch_records=40,
        session_seconds=6,
        demo=True,
    )


def service(
    name: str, settings: Settings, folder: Path, sandbox: str, connections: Mapping[str, Mapping[str, str]]
) -> ServiceProcess:
    own = {
        "MUSTER_XPM_URL": sandbox,
        "MUSTER_XPM_CALLS_A_MINUTE": "100000",
        "MUSTER_XPM_CONNECTIONS": json.dumps(connections),
        "MUSTER_IMPORT_LEASE_SECONDS": "3",
    }
    return ServiceProcess(name, settings, folder, **(own if name == "importer" else {}))


@asynccontextmanager
async def minded(minders: Iterable[Minder]) -> AsyncIterator[None]:
    watching = [asyncio.create_task(minder.watch()) for minder in minders]
    try:
        yield
    finally:
        for each in watching:
            each.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*watching)
