"""XPM's clients over HTTP, for people who wait."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import httpx
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.importer.api.asking import Body, query_of, tenant_of
from services.importer.api.connection import NO_STORE
from services.importer.connecting.keys import Keys
from services.importer.domain import is_over
from services.importer.quota.tolls import Road, free
from services.importer.wording import Words
from services.importer.xpm.api import Xpm
from services.importer.xpm.directions import direction
from services.importer.xpm.errors import Forbidden
from services.importer.xpm.records import Client, Relationship

MOST = 200
"""A search that finds more than that has to be narrowed."""


class Search(Body):
    """What to look for."""

    query: str = Field(min_length=1, max_length=200)


class Clients:
    """Reads clients of the practices that are connected."""

    def __init__(self, http: httpx.AsyncClient, keys: Keys, words: Words, road: Road = free) -> None:
        self._http = http
        self._words = words
        self._road = road
        self._keys = keys

    async def search(self, tenant_id: str, text: str) -> tuple[Client, ...]:
        """Clients that XPM finds for a text. Raises the family of `services.importer.xpm.errors`."""
        key = await self._keys.of(tenant_id)
        try:
            return await Xpm(self._http, key, road=self._road).search(text)
        except Forbidden as error:
            await self._keys.confirm(key, error)
            raise

    async def read(self, tenant_id: str, xpm_client_id: str) -> Client:
        """One client with its relationships. Raises the same family."""
        key = await self._keys.of(tenant_id)
        try:
            return await Xpm(self._http, key, road=self._road).read_client(xpm_client_id)
        except Forbidden as error:
            await self._keys.confirm(key, error)
            raise

    async def parties_are(self, tenant_id: str, words: Iterable[str]) -> dict[str, str | None]:
        """What each of the words makes the party of a relationship, as the practice means it."""
        table = await self._words(tenant_id)
        known = {word: direction(word, table) for word in words}
        return {word: meaning.party_is if meaning else None for word, meaning in known.items()}

    def today(self, tenant_id: str) -> Any:
        return datetime.now(UTC).astimezone(self._keys.zone(tenant_id)).date()


def routes(clients: Clients) -> list[Route]:
    """The routes under `/internal/tenants`."""

    async def search(request: Request) -> Response:
        tenant_id, wanted = tenant_of(request), query_of(request, Search)
        found = await clients.search(tenant_id, wanted.query)
        listed = [_in_short(client) for client in found[:MOST]]
        return JSONResponse({"clients": listed, "complete": len(found) <= MOST}, headers=NO_STORE)

    async def read(request: Request) -> Response:
        tenant_id, xpm_client_id = tenant_of(request), unquote(request.path_params["xpm_client_id"])
        client = await clients.read(tenant_id, xpm_client_id)
        today = clients.today(tenant_id)
        parties_are = await clients.parties_are(tenant_id, (tie.type for tie in client.relationships))
        ties = [
            {**_tie(tie, ended=is_over(tie, today)), "party_is": parties_are[tie.type]}
            for tie in client.relationships
        ]
        whole = {
            **client.details.model_dump(exclude_none=True),
            **_in_short(client),
            "deleted": client.deleted,
            "relationships": ties,
        }
        return JSONResponse(whole, headers=NO_STORE)

    return [Route("/{tenant_id}/clients", search), Route("/{tenant_id}/clients/{xpm_client_id}", read)]


def _in_short(client: Client) -> dict[str, Any]:
    details = client.details
    known = {"email": details.email, "business_structure": details.business_structure}
    return {
        "xpm_client_id": client.xpm_client_id,
        "name": details.name or "(no name)",
        **{name: value for name, value in known.items() if value is not None},
        "archived": client.archived,
    }


def _tie(tie: Relationship, *, ended: bool) -> dict[str, Any]:
    return {**tie.model_dump(exclude_none=True), "ended": ended}
