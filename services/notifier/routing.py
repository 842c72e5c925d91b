"""The notifier over HTTP, under `/tenants/{tenant_id}/progress`."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from services.notifier import listing
from services.notifier.access import Access
from services.notifier.reads import Reads
from services.notifier.stream import Streams
from worker.problems import HANDLERS


def routes(reads: Reads, streams: Streams, access: Access) -> list[BaseRoute]:
    """The list, one row, and the stream."""

    async def stream(request: Request) -> Response:
        return streams.open(access.bearer_of(request), request.headers.get("last-event-id"))

    app = Starlette(
        routes=[Route("/{tenant_id}/progress/stream", stream), *listing.routes(reads, access)],
        exception_handlers=HANDLERS,
    )
    return [Mount("/tenants", app=encoded_paths(app))]


def encoded_paths(app: ASGIApp) -> ASGIApp:
    """Route by the path as it was sent: a slash within an id comes as %2F, and is no border between two."""

    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "path": scope["raw_path"].decode("ascii")}, receive, send)

    return routed
