"""Asking for imports: of one client from its menu, of several that were selected."""

from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.ids import derived_id
from services.portal.commands import Command
from services.portal.composing import requested
from services.portal.console.forms import given_id, several, text
from services.portal.console.pages import page
from services.portal.people import Person
from services.portal.portal import decider, editor, portal_of
from services.portal.records import Client

MOST_AT_ONCE = 200


def routes() -> list[Route]:
    return [Route("/imports/new", _ask), Route("/imports/new", _request, methods=["POST"])]


async def _ask(request: Request) -> Response:
    person, portal = editor(request), portal_of(request)
    wanted = request.query_params.getlist("client_id")[:MOST_AT_ONCE]
    clients = await portal.reads.some_clients(person.tenant_id, wanted)
    linked = [client for client in clients if client.is_linked]
    unlinked = [client for client in clients if not client.is_linked]
    return page(request, "import_ask.html", linked=linked, unlinked=unlinked, id=str(uuid4()))


async def _request(request: Request) -> Response:
    form = await request.form()
    person, portal = decider(request, text(form, "csrf")), portal_of(request)
    wanted = several(form, "client_id")[:MOST_AT_ONCE]
    clients = await portal.reads.some_clients(person.tenant_id, wanted)
    linked = [client for client in clients if client.is_linked]
    if not linked:
        return page(request, "import_ask.html", 422, linked=[], unlinked=clients, id=str(uuid4()))
    await portal.commands.publish(person, _requests(person, given_id(form), linked))
    return page(request, "import_requested.html", clients=linked)


def _requests(person: Person, first_id: str, clients: list[Client]) -> list[Command]:
    """One command for each client; several of them share the id of their bulk."""
    if len(clients) == 1:
        return [requested(person, first_id, clients[0])]
    return [
        requested(
            person, derived_id(person.tenant_id, "portal", first_id, each.client_id), each, bulk_id=first_id
        )
        for each in clients
    ]
