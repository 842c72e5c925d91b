"""A whole Muster for tests: its processes on the run's Kafka and Postgres, and practices that are connected to XPM."""

import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from cryptography.fernet import Fernet
from pydantic import SecretStr

from ops.demo.portal import Portal, open_portal
from ops.running import credentials_for
from sandbox import harbour
from schemas.imports import ImportRequested
from schemas.people import AmendedClient
from schemas.portal import ClientAdded
from stack.ports import free_port
from tests.support.processes import ServiceProcess, running, running_sandbox
from tests.support.tokens import as_reader_of
from worker import topics
from worker.settings import Settings

STAFF = "Anna Lindqvist"
HARBOUR = "harbour"
"""The tenant of the hand-written practice."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class System:
    """Where everything is. `connected` tells the XPM tenant of each of our tenants."""

    settings: Settings
    sandbox: str
    services: Mapping[str, ServiceProcess]
    connected: Mapping[str, str]

    @property
    def notifier(self) -> str:
        """The address, which stays the same when the process is started again."""
        return self.services["notifier"].address

    @asynccontextmanager
    async def practice(self, tenant_id: str) -> AsyncIterator["Practice"]:
        """A practice with its portal, which has begun to follow its outcomes."""
        async with (
            open_portal(self.settings, tenant_id) as portal,
            httpx.AsyncClient(base_url=f"{self.sandbox}/sandbox") as sandbox,
            httpx.AsyncClient(
                base_url=f"{self.notifier}/tenants/{quote(tenant_id, safe='')}",
                headers=as_reader_of(tenant_id),
            ) as notifier,
        ):
            yield Practice(tenant_id, portal, Xpm(self.connected.get(tenant_id, ""), sandbox), notifier)


@dataclass(frozen=True, slots=True)
class Xpm:
    """One practice's XPM, as its people change it, with trouble on demand."""

    tenant_id: str
    http: httpx.AsyncClient

    async def add(self, name: str, uuid: str | None = None, **fields: str) -> str:
        """Add a client record; its id."""
        given = {"name": name, "fields": {"BusinessStructure": "Company", **fields}}
        answer = await self._post(
            f"practices/{self.tenant_id}/parties", given | ({"uuid": uuid} if uuid else {})
        )
        return str(answer["uuid"])

    async def relate(self, client: str, party: str, name: str, word: str = "Director") -> None:
        """Write a relationship on the client's record."""
        where = f"practices/{self.tenant_id}/parties/{client}/relationships"
        await self._post(where, {"type": word, "party": party, "party_name": name})

    async def amend(self, name: str, **fields: str | None) -> None:
        """Change a client record that is the only one of its name."""
        (party,) = (await self.http.get(f"practices/{self.tenant_id}/parties", params={"name": name})).json()
        change = await self.http.patch(
            f"practices/{self.tenant_id}/parties/{party['uuid']}", json={"fields": fields}
        )
        change.raise_for_status()

    async def trouble(self, kind: str, **more: object) -> None:
        """Let calls of this practice go wrong."""
        await self._post("faults", {"kind": kind, "tenant": self.tenant_id, **more})

    async def _post(self, path: str, body: Mapping[str, object]) -> Row:
        answer = await self.http.post(path, json=body)
        answer.raise_for_status()
        found: Row = answer.json()
        return found


@dataclass(frozen=True, slots=True)
class Practice:
    """A tenant: its portal, its XPM, and its integration progress."""

    tenant_id: str
    portal: Portal
    xpm: Xpm
    notifier: httpx.AsyncClient

    async def client_of_xpm(self, client_id: str, *people: str) -> str:
        """A client with these people in XPM, added to the portal from there; its XPM id."""
        xpm_client_id = await self.xpm.add(client_id)
        for name in people:
            await self.xpm.relate(xpm_client_id, await self.xpm.add(name), name)
        await self.add_client(client_id, xpm_client_id)
        return xpm_client_id

    async def add_client(self, client_id: str, xpm_client_id: str | None = None) -> None:
        linked = {"xpm_client_id": xpm_client_id} if xpm_client_id else {}
        data = ClientAdded(
            client_id=client_id, added_by=STAFF, personal=AmendedClient(name=client_id), **linked
        )
        outcome = await self.portal.tell(data, f"clients/{client_id}")
        assert outcome.result == "applied", outcome

    async def request(self, client_id: str, xpm_client_id: str | None = None) -> str:
        """Ask for an import; its id."""
        data = ImportRequested(client_id=client_id, xpm_client_id=xpm_client_id, requested_by=STAFF)
        return await self.portal.request(data, f"clients/{client_id}")

    async def progress(self, import_id: str) -> Row:
        """The import's row, as dashboards list it."""
        answer = await self.notifier.get(f"progress/import/{import_id}")
        answer.raise_for_status()
        row: Row = answer.json()
        return row

    async def all_progress(self) -> list[Row]:
        """The first page of rows, newest first."""
        answer = await self.notifier.get("progress", params={"limit": 500})
        answer.raise_for_status()
        rows: list[Row] = answer.json()["rows"]
        return rows


@asynccontextmanager
async def whole_system(kafka: str, dsn: str, folder: Path, practices: int) -> AsyncIterator[System]:
    """Everything, ready, on a migrated database: tenants `practice-0` and so on, and Harbour & Hill's."""
    settings = Settings(
        kafka=kafka,
        postgres_dsn=SecretStr(dsn),
        topic_prefix=f"test-{secrets.token_hex(4)}.",
        journal_partitions=4,
        topic_partitions=3,
        dead_letter_partitions=1,
        session_seconds=6,
        demo=True,
    )
    await topics.create(settings)
    empty = {f"practice-{number}": 0 for number in range(practices)}
    async with running_sandbox(folder, empty) as sandbox:
        connections = await connections_of(sandbox)
        services = {
            "importer": ServiceProcess(
                "importer",
                settings,
                folder,
                MUSTER_XPM_CALLS_A_MINUTE="100000",
                MUSTER_XPM_MIRROR_FRESH_SECONDS="0.01",
                MUSTER_XPM_CONNECTIONS=json.dumps(connections),
                **connectable(sandbox),
            ),
            "resolver": ServiceProcess("resolver", settings, folder),
            "notifier": ServiceProcess("notifier", settings, folder, MUSTER_HTTP_PORT=str(free_port())),
        }
        async with running(*services.values()):
            connected = {tenant: each["xpm_tenant_id"] for tenant, each in connections.items()}
            yield System(settings, sandbox, services, connected)


def connectable(sandbox: str) -> dict[str, str]:
    """What lets tenants beside those connect themselves to the sandbox, by consent."""
    port = str(free_port())
    return {
        **credentials_for(sandbox),
        "MUSTER_HTTP_PORT": port,
        "MUSTER_XPM_REDIRECT_URL": f"http://127.0.0.1:{port}/oauth/callback",
        "MUSTER_XPM_TOKEN_KEYS": Fernet.generate_key().decode(),
        "MUSTER_XPM_PRACTICE_SHARED": "true",
    }


async def connections_of(sandbox: str) -> dict[str, dict[str, str]]:
    """The importer's connections: each practice belongs to the tenant that is called like its token."""
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{sandbox}/sandbox/practices")
    return {
        HARBOUR if each["token"] == harbour.TOKEN else each["token"]: {
            "xpm_tenant_id": each["tenant_id"],
            "access_token": each["token"],
            "practice_name": each["name"],
        }
        for each in answer.json()
    }
