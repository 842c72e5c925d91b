"""The list over HTTP: what may be asked, and how it is answered."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import unquote

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.fields import EventId, Identifier
from schemas.progress import Kind, Status
from services.notifier.access import Access
from services.notifier.reads import Filters, Place, Reads
from worker.problems import Problem

LARGEST_PAGE = 500
FIRST_YEAR, LAST_YEAR = 1970, 2999
SEVERAL = ("status", "kind")
NO_SUCH_ROW = Problem(404, "no-such-row", "There is no such row, or its 72 hours are over.")

_kind: TypeAdapter[str] = TypeAdapter(Kind)
_row_id: TypeAdapter[str] = TypeAdapter(EventId)


def place_of(cursor: str) -> Place:
    """Read a cursor. Raises `ValueError` for one that was not made here."""
    try:
        requested_at, kind, row_id = orjson.loads(urlsafe_b64decode(cursor))
        return Place(datetime.fromisoformat(requested_at), str(kind), str(row_id))
    except (binascii.Error, ValueError, TypeError):
        raise ValueError("is not a cursor of this list") from None


def cursor_of(place: Place) -> str:
    """A cursor that leads on from this place."""
    return urlsafe_b64encode(
        orjson.dumps([place.requested_at.isoformat(), place.kind, place.row_id])
    ).decode()


def instant_of(text: str) -> datetime:
    """Read an instant. Raises `ValueError` for what is none, or has no offset, or is not of our times."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None or not FIRST_YEAR <= instant.year <= LAST_YEAR:
        raise ValueError("is not an instant with an offset, such as 2026-11-23T12:00:00Z")
    return instant


Instant = Annotated[datetime, BeforeValidator(instant_of)]


class Asked(BaseModel):
    """The parameters of the list."""

    model_config = ConfigDict(extra="forbid")

    client_id: Identifier | None = None
    status: list[Status] | None = None
    kind: list[Kind] | None = None
    since: Instant | None = None
    until: Instant | None = None
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = 50
    cursor: Annotated[str, AfterValidator(lambda cursor: place_of(cursor) and cursor)] | None = None

    @property
    def filters(self) -> Filters:
        return Filters(self.client_id, self.status, self.kind, self.since, self.until)

    @property
    def after(self) -> Place | None:
        return place_of(self.cursor) if self.cursor else None


def routes(reads: Reads, access: Access) -> list[Route]:
    """The routes of the list and of its rows, under a tenant's path."""

    async def listed(request: Request) -> Response:
        tenant_id, wanted = access.tenant_of(request), asked(request.query_params)
        page = await reads.page(tenant_id, wanted.filters, wanted.after, wanted.limit)
        following = cursor_of(page.last) if page.last else None
        return _json(f'{{"rows":[{",".join(page.rows)}],"next":{orjson.dumps(following).decode()}}}')

    async def one(request: Request) -> Response:
        tenant_id, kind, row_id = access.tenant_of(request), *_row_of(request)
        shown = await reads.row(tenant_id, kind, row_id)
        if shown is None:
            raise NO_SUCH_ROW
        return _json(shown)

    return [Route("/{tenant_id}/progress", listed), Route("/{tenant_id}/progress/{kind}/{row_id}", one)]


def asked(query: QueryParams) -> Asked:
    """What a query asks for. Raises `Problem` with everything that is wrong with it."""
    given: dict[str, Any] = {name: query.getlist(name) for name in query}
    single = {name: values[0] for name, values in given.items() if name not in SEVERAL and len(values) == 1}
    try:
        return Asked.model_validate(given | single)
    except ValidationError as error:
        wrong = [_wrong(each) for each in error.errors(include_url=False, include_input=False)]
        raise Problem(400, "invalid-parameters", "Some parameters are not as they must be.", wrong) from None


def _row_of(request: Request) -> tuple[str, str]:
    kind, row_id = request.path_params["kind"], unquote(request.path_params["row_id"])
    try:
        return _kind.validate_python(kind), _row_id.validate_python(row_id)
    except ValidationError:
        raise NO_SUCH_ROW from None


def _wrong(error: Mapping[str, Any]) -> dict[str, str]:
    return {"parameter": str(error["loc"][0]), "problem": error["msg"]}


def _json(text: str) -> Response:
    return Response(text, headers={"Cache-Control": "no-store"}, media_type="application/json")
