"""Integration progress: the list of the past 72 hours, a row, and the stream that both follow."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Header, Path, Query
from pydantic import BeforeValidator, Field
from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from schemas.fields import EventId
from schemas.progress import IntegrationProgressed, Kind, Status
from services.portal.api.asking import Reader, ThePortal
from services.portal.api.models import Told
from services.portal.sessions import seconds_left, until_over

router = APIRouter(tags=["progress"])
STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/event-stream": {}},
        "description": "Server-sent events, as the notifier sends them",
    }
}


class EventStreamResponse(Response):
    """For the OpenAPI document."""

    media_type = "text/event-stream"


class Relayed(StreamingResponse):
    """The notifier's stream, given on; it ends when either side does."""

    def __init__(self, frames: AsyncGenerator[bytes, None], opened: AsyncExitStack) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(frames, headers=headers, media_type="text/event-stream")
        self._opened = opened

    async def stream_response(self, send: Send) -> None:
        async with self._opened:
            await super().stream_response(send)


class Rows(Told):
    """A page of rows, newest first."""

    rows: list[IntegrationProgressed]
    next: str | None


class Asked(Told):
    """Which rows are wanted; the notifier reads them."""

    client_id: str | None = None
    status: list[Status] = Field(default_factory=list)
    kind: list[Kind] = Field(default_factory=list)
    since: str | None = None
    until: str | None = None
    limit: int | None = None
    cursor: str | None = None

    def query(self) -> list[tuple[str, str]]:
        """As the notifier's list takes it."""
        given = self.model_dump(exclude_none=True)
        pairs = [(name, each) for name, value in given.items() for each in _each(value)]
        return [(name, str(value)) for name, value in pairs]


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@router.get("/progress")
async def list_progress(person: Reader, portal: ThePortal, asked: Annotated[Asked, Query()]) -> Rows:
    """Every integration action of the past 72 hours, newest first; instants as `2026-11-23T12:00:00Z`."""
    listed = await portal.notifier.page(person.tenant_id, asked.query())
    return Rows(rows=list(listed.rows), next=listed.following)


@router.get("/progress/stream", response_class=EventStreamResponse, responses=STREAM)
async def stream_progress(
    person: Reader, portal: ThePortal, last_event_id: Annotated[str | None, Header()] = None
) -> Response:
    """A snapshot of all rows, then each change; with `Last-Event-ID` it goes on behind that.

    It ends, with an event `over`, after some minutes, or when whoever opened it signs out: come back with the last id.
    """
    async with AsyncExitStack() as opening:
        over = opening.enter_context(portal.sessions.stream(person))
        relayed = portal.notifier.stream(person.tenant_id, last_event_id, seconds_left(person))
        frames = await opening.enter_async_context(relayed)
        return Relayed(until_over(frames, over), opening.pop_all())


@router.get("/progress/{kind}/{row_id}")
async def show_progress(
    person: Reader,
    portal: ThePortal,
    kind: Kind,
    row_id: Annotated[EventId, BeforeValidator(unquote), Path()],
) -> IntegrationProgressed:
    """One row."""
    return await portal.notifier.row(person.tenant_id, kind, row_id)
