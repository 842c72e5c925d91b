"""
The methods of the Practice Manager API, and the list of connections, as `document` prints them.

What no public source settles is a choice of the `dialect`. Beyond that, this sandbox answers so: a malformed id is an
unknown one; a deleted record can still be read by its id and says that it is deleted; `search` finds current records
only, by a part of their name; a token of a page is good for as long as the sandbox runs.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import answers
from sandbox.chance import made_up_uuid
from sandbox.document import Amount, Printer, number_of, pagination
from sandbox.practice import Party, Practice
from sandbox.state import Sandbox, Tenancy

_CONNECTED_AT = "2024-02-12T21:05:17.5165400"
_PAGE = 50
_LARGEST_PAGE = 500

Row = TypeVar("Row")


class PracticeManager:
    """The endpoints of one version; each finds its practice by the tenant header, which the gate has checked."""

    def __init__(self, sandbox: Sandbox, *, numeric: bool = False) -> None:
        self._sandbox = sandbox
        self._numeric = numeric

    def routes(self) -> list[Route]:
        return [
            Route("/client.api/get/{uuid}", self.get),
            Route("/client.api/list", self.list),
            Route("/client.api/paged-list", self.paged_list),
            Route("/client.api/search", self.search),
            Route("/client.api/contacts", self.contacts),
            Route("/clientgroup.api/list", self.groups),
            Route("/clientgroup.api/get/{uuid}", self.group),
            Route("/staff.api/list", self.staff),
        ]

    async def get(self, request: Request) -> Response:
        practice = self._practice(request)
        party = _found(practice, request.path_params["uuid"].lower())
        if party is None:
            return self._refused(request, "Get", "Invalid client identifier")
        return self._answered(self._printer(request).one_client(party))

    async def list(self, request: Request) -> Response:
        try:
            modified_since = _moment(request)
        except ValueError:
            return self._answered(self._printer(request).refusal("List", "Invalid modifiedsince"))
        archived = self._sandbox.dialect.archived_listed
        parties = self._practice(request).listed(modified_since, archived=archived)
        return self._answered(self._printer(request).many_clients("List", parties, _amount(request)))

    async def search(self, request: Request) -> Response:
        query = request.query_params.get("query", "").strip()
        if not query:
            return self._answered(self._printer(request).refusal("Search", "Invalid query"))
        found = self._practice(request).search(query)
        return self._answered(self._printer(request).many_clients("Search", found, _amount(request)))

    async def paged_list(self, request: Request) -> Response:
        printer = self._printer(request)
        return self._page(
            request,
            self._practice(request).listed(),
            lambda parties, links: printer.many_clients("PagedList", parties, "paged", links),
        )

    async def contacts(self, request: Request) -> Response:
        parties = self._practice(request).listed()
        known = {
            contact.uuid: contact for contact in chain.from_iterable(party.contacts for party in parties)
        }
        return self._page(request, list(known.values()), self._printer(request).contacts)

    async def groups(self, request: Request) -> Response:
        return self._answered(self._printer(request).groups())

    async def group(self, request: Request) -> Response:
        wanted = request.path_params["uuid"].lower()
        groups = self._practice(request).groups()
        group = next((it for it in groups if wanted in (it.uuid, str(number_of(it.uuid)))), None)
        if group is None:
            return self._refused(request, "Get", "Invalid client group identifier")
        return self._answered(self._printer(request).one_group(group))

    async def staff(self, request: Request) -> Response:
        return self._answered(self._printer(request).staff())

    async def connections(self, request: Request) -> Response:
        token = request.headers["authorization"].partition(" ")[2]
        reached = self._sandbox.reached_by(token).values()
        return JSONResponse([connection for tenancy in reached for connection in _connections(tenancy)])

    def _practice(self, request: Request) -> Practice:
        return self._sandbox.tenancies[request.headers["xero-tenant-id"]].practice

    def _printer(self, request: Request) -> Printer:
        dialect = self._sandbox.dialect
        if self._numeric:
            dialect = dialect.model_copy(update={"ids": "numeric", "prospects": True})
        return Printer(self._practice(request), dialect)

    def _page(
        self, request: Request, rows: Sequence[Row], printed: Callable[[Sequence[Row], str], Iterator[str]]
    ) -> Response:
        """The page that is asked for, with links to the first one and the next."""
        try:
            size = int(request.query_params.get("pageSize", _PAGE))
            start = _place(request.query_params.get("pageToken"))
        except ValueError:
            return answers.unfit("Invalid page token")
        if not 1 <= size <= _LARGEST_PAGE:
            return answers.unfit(f"The page size must be between 1 and {_LARGEST_PAGE}")
        end = start + size
        first = str(request.url.replace(query="").include_query_params(pageSize=size))
        following = f"{first}&pageToken={_token(end)}" if end < len(rows) else self._after_the_last()
        links = pagination(first, following)
        if self._sandbox.dialect.ampersand == "bare":
            links = links.replace("&amp;", "&")
        return self._answered(printed(rows[start:end], links))

    def _after_the_last(self) -> str | None:
        return "" if self._sandbox.dialect.next_on_last_page == "empty" else None

    def _answered(self, pieces: Iterator[str]) -> Response:
        return answers.in_form(self._sandbox.dialect.form, pieces)

    def _refused(self, request: Request, method: str, description: str) -> Response:
        if self._sandbox.dialect.unknown_client == "404":
            return answers.not_there(description)
        return self._answered(self._printer(request).refusal(method, description))


def _found(practice: Practice, wanted: str) -> Party | None:
    """A record by its UUID or, in the way of version 3.0, by its number."""
    if wanted.isdecimal():
        return next((it for it in practice.parties.values() if str(number_of(it.uuid)) == wanted), None)
    return practice.parties.get(wanted)


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


def _amount(request: Request) -> Amount:
    return "detailed" if request.query_params.get("detailed", "").lower() == "true" else "plain"


def _moment(request: Request) -> datetime | None:
    """A `modifiedsince`, in either spelling, which is UTC without saying so. Raises `ValueError`."""
    text = request.query_params.get("modifiedsince") or request.query_params.get("modifiedSince")
    return None if not text else datetime.fromisoformat(text).replace(tzinfo=UTC)


def _token(place: int) -> str:
    """A place in a list as a text that says nothing to anybody else."""
    return urlsafe_b64encode(f"after {place}".encode()).decode().rstrip("=")


def _place(token: str | None) -> int:
    """Raises `ValueError` for a token that is none of ours."""
    if token is None:
        return 0
    word, _, number = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().partition(" ")
    if word != "after" or not number.isdecimal():
        raise ValueError(token)
    return int(number)
