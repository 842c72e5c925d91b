"""Everything that the importer answers over HTTP beside health and metrics."""

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from services.importer.api import clients, connection, words
from services.importer.api.asking import Guarded
from services.importer.api.clients import Clients
from services.importer.api.problems import HANDLERS
from services.importer.connecting.journey import Journey
from services.importer.wording import Wording


def routes(journey: Journey, readers: Clients, wording: Wording, token: SecretStr | None) -> list[BaseRoute]:
    """The internal API behind its token, and where browsers come back from Xero."""
    inside = Starlette(
        routes=[*connection.routes(journey), *clients.routes(readers), *words.routes(wording)],
        exception_handlers=HANDLERS,
    )
    return [
        Mount("/internal/tenants", app=Guarded(_encoded_paths(inside), token)),
        connection.callback(journey),
    ]


def _encoded_paths(app: ASGIApp) -> ASGIApp:
    """Route by the path as it was sent: a slash within an id comes as %2F, and is no border between two."""

    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "path": scope["raw_path"].decode("ascii")}, receive, send)

    return routed
