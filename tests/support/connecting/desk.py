"""The importer's connections on a real Postgres, against a sandbox over HTTP; without Kafka, so facts stay untold."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
from cryptography.fernet import Fernet
from pydantic import SecretStr
from starlette.applications import Starlette

from ops.demo.consenting import Browser
from sandbox import harbour
from sandbox.app import sandbox_app
from sandbox.faults import Fault
from sandbox.oauth import Application, Lives
from sandbox.server import running
from sandbox.state import Sandbox, Tenancy
from schemas.codec import decode
from schemas.imports import ConnectionChanged
from schemas.topics import JOURNAL
from services.importer.api.clients import Clients
from services.importer.api.routing import routes
from services.importer.connecting.ending import Ending
from services.importer.connecting.identity import Identity
from services.importer.connecting.journey import Journey
from services.importer.connecting.keyring import Keyring
from services.importer.connecting.keys import Keys, Vault
from services.importer.settings import ImporterSettings
from services.importer.wording import Wording
from worker.database import open_pool

if TYPE_CHECKING:
    from asyncpg import Pool, Record

KEY = Fernet.generate_key().decode()
PORTAL = "http://127.0.0.1:8000/integrations"
STAFF = "Anna Lindqvist"
SECOND = "5b0e2c1d-7d55-4d0b-8a6f-9c2f35a1e702"
TOKEN = "the-internal-token-of-this-test-is-long"

Row = dict[str, Any]


@dataclass
class Desk:
    """One importer's side: its API, its keys, and what it stored."""

    settings: ImporterSettings
    pool: "Pool[Record]"
    keys: Keys
    http: httpx.AsyncClient
    ending: Ending
    api: httpx.AsyncClient
    browser: Browser

    async def connection(self, tenant: str = "t1") -> Row:
        answer = await self.api.get(f"/internal/tenants/{tenant}/connection")
        assert answer.status_code == 200, answer.text
        found: Row = answer.json()
        return found

    async def authorize(self, tenant: str = "t1", return_url: str = PORTAL) -> httpx.Response:
        body = {"return_url": return_url, "requested_by": STAFF}
        return await self.api.post(f"/internal/tenants/{tenant}/connection/authorize", json=body)

    async def connect(
        self, tenant: str = "t1", *practices: str, user: str | None = None, allow: bool = True
    ) -> dict[str, str]:
        """Go all the way; what the portal is told at the end."""
        begun = (await self.authorize(tenant)).json()
        address = await self.browser.consent(
            begun["authorize_url"],
            practices or (harbour.TENANT_ID,),
            user or f"{tenant}@x.example",
            allow=allow,
        )
        return await self.complete(begun, address, tenant)

    async def complete(self, begun: Row, came_back: str, tenant: str = "t1") -> dict[str, str]:
        """Bring what a browser came back with together with what was kept where it was begun; what came of it."""
        result = told(came_back)
        if result["connection"] != "confirm":
            return result
        brought = {"ticket": result["ticket"], "proof": begun["proof"]}
        answer = await self.api.post(f"/internal/tenants/{tenant}/connection/complete", json=brought)
        assert answer.status_code == 200, answer.text
        said: dict[str, str] = answer.json()
        return said

    async def choose(self, connection_id: str, tenant: str = "t1") -> httpx.Response:
        body = {"connection_id": connection_id, "requested_by": STAFF}
        return await self.api.post(f"/internal/tenants/{tenant}/connection/practice", json=body)

    async def disconnect(self, tenant: str = "t1") -> httpx.Response:
        return await self.api.delete(f"/internal/tenants/{tenant}/connection", params={"requested_by": STAFF})

    async def facts(self, tenant: str = "t1") -> list[ConnectionChanged]:
        """What is to be told of the tenant, in order."""
        rows = await self.pool.fetch(
            "SELECT event FROM connection_facts WHERE tenant_id = $1 ORDER BY ordinal", tenant
        )
        found = [decode(row["event"], JOURNAL).data for row in rows]
        return [fact for fact in found if isinstance(fact, ConnectionChanged)]

    async def expire(self, tenant: str = "t1") -> None:
        """Let the access token be over by our own clock."""
        await self.pool.execute(
            "UPDATE connections SET refresh_at = clock_timestamp() WHERE tenant_id = $1", tenant
        )


@dataclass
class World:
    """A sandbox with two practices, and how to have importers before it."""

    sandbox: Sandbox
    address: str
    dsn: str

    def trouble(self, kind: str, **more: Any) -> None:
        """Let calls go wrong."""
        self.sandbox.faults.add(Fault(kind=kind, **more))

    @asynccontextmanager
    async def desk(self, **given: Any) -> AsyncIterator[Desk]:
        settings = settings_for(self.address, self.dsn, **given)
        session = {"role": "muster_importer", "search_path": "importer"}
        async with httpx.AsyncClient() as http, open_pool(settings, "test", 6, **session) as pool:
            application = settings.application
            assert application is not None
            keyring, identity = Keyring(settings.keys), Identity(http, application)
            vault = Vault(pool, keyring, identity, http, settings.xpm_url, lambda: None)
            keys, ending = Keys(settings.xpm_connections, settings.xpm_url, vault), Ending(vault)
            wording = Wording(pool, settings.xpm_directions)
            app = Starlette(
                routes=routes(
                    Journey(pool, settings, vault, ending),
                    Clients(http, keys, wording.table),
                    wording,
                    settings.internal_token,
                )
            )
            transport, bearer = httpx.ASGITransport(app), {"Authorization": f"Bearer {TOKEN}"}
            async with (
                httpx.AsyncClient(transport=transport, base_url="http://importer", headers=bearer) as api,
                httpx.AsyncClient(mounts={"all://importer": transport}) as browsing,
            ):
                yield Desk(settings, pool, keys, http, ending, api, Browser(browsing))


def settings_for(sandbox: str, dsn: str, **given: Any) -> ImporterSettings:
    """The settings of an importer that practices can connect themselves to."""
    return ImporterSettings(**({
        "postgres_dsn": SecretStr(dsn),
        "xpm_url": sandbox,
        "xpm_client_id": "muster",
        "xpm_client_secret": SecretStr("muster-at-the-sandbox"),
        "xpm_redirect_url": "http://importer/oauth/callback",
        "xpm_authorize_url": f"{sandbox}/identity/connect/authorize",
        "xpm_token_url": f"{sandbox}/connect/token",
        "xpm_revocation_url": f"{sandbox}/connect/revocation",
        "xpm_token_keys": SecretStr(KEY),
        "internal_token": SecretStr(TOKEN),
    } | given))  # fmt: skip


@asynccontextmanager
async def world(dsn: str, **lives: float) -> AsyncIterator[World]:
    """A sandbox over HTTP. `lives`: how long codes and tokens live."""
    second = Tenancy(SECOND, "second", harbour.harbour_practice())
    second.practice.name = "Second & Sons"
    first = Tenancy(harbour.TENANT_ID, harbour.TOKEN, harbour.harbour_practice())

    state = Sandbox(
        [first, second],
        application=Application(redirects=("http://importer/oauth/callback",)),
        lives=Lives(**lives),
    )
    async with running(sandbox_app(state)) as address:
        yield World(state, address, dsn)


def told(address: str) -> dict[str, str]:
    """What an address at which the browser came back says."""
    assert address.startswith(PORTAL), address
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
