"""
The methods of the Practice Manager API 3.1, and the list of connections, as `document` prints them.

What no public source settles, this sandbox answers so: an unknown or malformed client id is `ERROR` with HTTP
200 and "Invalid client identifier"; a deleted record can still be read by its id and says that it is deleted;
`search` finds current records only, by a part of their name.
"""

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import answers, document
from sandbox.chance import made_up_uuid
from sandbox.practice import Practice
from sandbox.state import Sandbox, Tenancy

_CONNECTED_AT = "2024-02-12T21:05:17.5165400"


class PracticeManager:
    """The endpoints; each finds its practice by the tenant header, which the gate has checked."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def routes(self) -> list[Route]:
        return [
            Route("/client.api/get/{uuid}", self.get),
            Route("/client.api/list", self.list),
            Route("/client.api/search", self.search),
        ]

    async def get(self, request: Request) -> Response:
        practice = self._practice(request)
        party = practice.parties.get(request.path_params["uuid"].lower())
        if party is None:
            return answers.xml(document.refusal("Get", "Invalid client identifier"))
        return answers.xml(document.one_client(practice, party))

    async def list(self, request: Request) -> Response:
        try:
            modified_since = _moment(request.query_params.get("modifiedsince"))
        except ValueError:
            return answers.xml(document.refusal("List", "Invalid modifiedsince"))
        practice = self._practice(request)
        parties = practice.listed(modified_since)
        return answers.xml_stream(
            document.many_clients("List", practice, parties, detailed=_detailed(request))
        )

    async def search(self, request: Request) -> Response:
        query = request.query_params.get("query", "").strip()
        if not query:
            return answers.xml(document.refusal("Search", "Invalid query"))
        practice = self._practice(request)
        found = practice.search(query)
        return answers.xml_stream(
            document.many_clients("Search", practice, found, detailed=_detailed(request))
        )

    async def connections(self, request: Request) -> Response:
        token = request.headers["authorization"].partition(" ")[2]
        reached = self._sandbox.reached_by(token).values()
        return JSONResponse([connection for tenancy in reached for connection in _connections(tenancy)])

    def _practice(self, request: Request) -> Practice:
        return self._sandbox.tenancies[request.headers["xero-tenant-id"]].practice


def _connections(tenancy: Tenancy) -> list[dict[str, str]]:
    """The practice itself and, as users' consents often bring it along, the practice's own books."""
    name = tenancy.practice.name
    return [
        _connection(tenancy.tenant_id, "PRACTICEMANAGER", name),
        _connection(made_up_uuid("books", tenancy.tenant_id), "ORGANISATION", f"{name} (own books)"),
    ]


def _connection(tenant_id: str, tenant_type: str, name: str) -> dict[str, str]:
    return {
        "id": made_up_uuid("connection", tenant_id),
        "authEventId": made_up_uuid("consent", tenant_id),
        "tenantId": tenant_id,
        "tenantType": tenant_type,
        "tenantName": name,
        "createdDateUtc": _CONNECTED_AT,
        "updatedDateUtc": _CONNECTED_AT,
    }


def _detailed(request: Request) -> bool:
    return request.query_params.get("detailed", "").lower() == "true"


def _moment(text: str | None) -> datetime | None:
    """A `modifiedsince`, which is UTC without saying so. Raises `ValueError`."""
    return None if not text else datetime.fromisoformat(text).replace(tzinfo=UTC)
