"""A whole importer on a real Kafka and a real Postgres, reading a sandbox over HTTP."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from sandbox import harbour
from sandbox.app import sandbox_app
from sandbox.faults import Fault
from sandbox.practice import Practice
from sandbox.quota import GENEROUS, Limits
from sandbox.server import running as serving
from sandbox.state import Sandbox, Tenancy
from schemas.codec import Event, decode
from schemas.imports import ConnectionChanged, ImportFact
from schemas.topics import JOURNAL, REQUESTS
from services.importer.app import compose
from services.importer.settings import ImporterSettings
from tests.support.eventually import eventually
from tests.support.importing.requests import on_the_wire
from tests.support.logs import read_back
from tests.support.processes import ServiceProcess
from worker import topics
from worker.app import serve

Course = list[Event]
"""The facts of one import in their order, each once."""


@dataclass
class Importer:
    """Practices `t0` and so on, each a Harbour & Hill of its own; how to ask for imports, and what came of them."""

    settings: ImporterSettings
    sandbox: Sandbox
    folder: Path

    @asynccontextmanager
    async def running(self, **settings: Any) -> AsyncIterator[asyncio.Task[None]]:
        """Run it in this event loop, and stop it in order at the end; the task is the service.

        It is not stopped before it is ready: a join that is broken off is left to the end of the process, and this one
        goes on.
        """
        stopping = asyncio.Event()
        ready = self.folder / f"{uuid4()}.ready"
        changed = self.settings.model_copy(update={"ready_file": ready, **settings})
        task = asyncio.create_task(serve("importer", compose, changed, stopping))
        try:
            yield task
        finally:
            await eventually(lambda: ready.exists() or task.done(), timeout=60)
            stopping.set()
            await task

    def process(self, name: str, **variables: str) -> ServiceProcess:
        """A process of it, to be started and killed."""
        connections = {
            tenant: {
                "xpm_tenant_id": each.xpm_tenant_id,
                "access_token": each.access_token.get_secret_value(),
            }
            for tenant, each in self.settings.xpm_connections.items()
        }
        return ServiceProcess(
            "importer",
            self.settings,
            self.folder,
            process_name=name,
            MUSTER_XPM_CONNECTIONS=json.dumps(connections),
            **variables,
        )

    async def ask(self, *requests: tuple[str, str, str], xpm: str | None = harbour.NORTHLIGHT) -> None:
        """Publish requests (tenant, import, client) for that client of XPM."""
        async with AIOKafkaProducer(bootstrap_servers=self.settings.kafka, enable_idempotence=True) as kafka:
            topic = self.settings.topic_name(REQUESTS)
            sent = [
                await kafka.send(topic, on_the_wire(name, client, tenant, xpm), key=tenant.encode())
                for tenant, name, client in requests
            ]
            await asyncio.gather(*sent)

    async def ask_for(self, tenant: str, clients: Iterable[str], run: str = "") -> None:
        """Publish a request for each of these clients of XPM, all at once."""
        async with AIOKafkaProducer(bootstrap_servers=self.settings.kafka, enable_idempotence=True) as kafka:
            topic = self.settings.topic_name(REQUESTS)
            sent = [
                await kafka.send(topic, on_the_wire(f"{run}{xpm}", xpm, tenant, xpm), key=tenant.encode())
                for xpm in clients
            ]
            await asyncio.gather(*sent)

    def trouble(self, tenant: str, **fault: Any) -> None:
        """Let calls of this practice go wrong."""
        self.sandbox.faults.add(Fault(tenant=xpm_tenant(tenant), **fault))

    def calls(self, tenant: str, status: int | None = None) -> int:
        """How many calls the practice has answered, with that status."""
        return sum(
            number
            for called, number in self.sandbox.calls.items()
            if called.tenant == xpm_tenant(tenant) and status in (None, called.status)
        )

    async def journal(self) -> list[Event]:
        """Everything in the journal, per tenant in order."""
        (records,) = await read_back(self.settings, JOURNAL)
        return [decode(record.value, JOURNAL) for record in records]

    async def courses(self) -> dict[tuple[str, str], Course]:
        """What became of each import. Raises `AssertionError` where an id has two contents."""
        found: dict[tuple[str, str], dict[str, Event]] = defaultdict(dict)
        for event in await self.journal():
            if isinstance(event.data, ImportFact):
                course = found[event.tenant_id, event.data.import_id]
                assert course.setdefault(event.id, event).content == event.content, event.id
        return {key: list(course.values()) for key, course in found.items()}

    async def connections(self) -> list[Event]:
        return [event for event in await self.journal() if isinstance(event.data, ConnectionChanged)]

    async def ended(self, *tenants: str) -> bool:
        """Whether nothing is left to do, for these tenants or for all; and something was asked for."""
        rows = await self.fetch(
            "SELECT count(*) > 0 AND bool_and(status = 'ended' AND asked_again = 0) AS ended "
            "FROM importer.requests WHERE cardinality($1::text[]) = 0 OR tenant_id = ANY ($1)",
            list(tenants),
        )
        return bool(rows[0]["ended"])

    async def fetch(self, statement: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        database = await asyncpg.connect(self.settings.postgres_dsn.get_secret_value())
        try:
            return await database.fetch(statement, *arguments)
        finally:
            await database.close()


def kinds(course: Course) -> list[str]:
    """The types of the facts in short: `started`, `waiting`, `entity`, `item`, `staged`, `failed`."""
    short = {"muster.entity.staged.v1": "entity", "muster.item.staged.v1": "item"}
    return [short.get(event.type, event.type.split(".")[2]) for event in course]


def assert_whole(course: Course) -> None:
    """One start, then waits, then one whole set or one failure, and nothing after it."""
    start, *rest = kinds(course)
    assert start == "started"
    ending = [kind for kind in rest if kind != "waiting"]
    assert rest == ["waiting"] * (len(rest) - len(ending)) + ending
    if ending == ["failed"]:
        return
    items = [event.data.item_id for event in course if event.type == "muster.item.staged.v1"]  # type: ignore[attr-defined]
    assert ending == ["entity", *["item"] * len(items), "staged"]
    assert course[-1].data.item_ids == items  # type: ignore[attr-defined]


def xpm_tenant(tenant: str) -> str:
    return f"xpm-of-{tenant}"


@asynccontextmanager
async def prepare_importer(
    kafka: str,
    dsn: str,
    prefix: str,
    folder: Path,
    tenants: int = 6,
    limits: Limits = GENEROUS,
    made_up: Practice | None = None,
) -> AsyncIterator[Importer]:
    """The topics, and a sandbox in this event loop; `made_up` is the practice of the first tenant."""
    names = [f"t{number}" for number in range(tenants)]
    sandbox = Sandbox(
        [
            Tenancy(
                xpm_tenant(name),
                f"token-of-{name}",
                made_up if made_up and name == "t0" else harbour.harbour_practice(),
            )
            for name in names
        ],
        limits,
    )
    async with serving(sandbox_app(sandbox)) as address:
        settings = ImporterSettings(
            kafka=kafka,
            postgres_dsn=SecretStr(dsn),
            topic_prefix=prefix,
            journal_partitions=2,
            topic_partitions=2,
            dead_letter_partitions=1,
            session_seconds=6,
            poll_ms=50,
            xpm_url=address,
            xpm_calls_a_minute=limits.minute,
            xpm_minute_seconds=limits.minute_seconds,
            import_lease_seconds=2,
            xpm_connections={
                name: {"xpm_tenant_id": xpm_tenant(name), "access_token": f"token-of-{name}"}
                for name in names
            },
        )
        await topics.create(settings)
        yield Importer(settings, sandbox, folder)
