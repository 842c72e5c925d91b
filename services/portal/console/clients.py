"""The list of clients, one client with its people, and adding clients."""

from typing import TYPE_CHECKING
from uuid import uuid4

from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.people import AmendedClient
from schemas.portal import ClientAdded
from services.portal.commands import Command
from services.portal.composing import client_from_xpm
from services.portal.console.forms import Problems, given_id, only_given, problems_of, refusal, text
from services.portal.console.pages import done, page, path_part
from services.portal.people import Person
from services.portal.portal import decider, editor, portal_of, reader
from services.portal.reads import Place
from worker.problems import Problem

if TYPE_CHECKING:
    from services.portal.importer import XpmClient

PAGE = 50
CLIENT_FIELDS = ("name", "email", "phone", "address", "account_email")
UNDER_WAY = "It is being processed, which takes longer than usual. The list follows by itself."


def routes() -> list[Route]:
    return [
        Route("/clients", _list),
        Route("/clients/new", _new),
        Route("/clients/new", _add, methods=["POST"]),
        Route("/clients/from-xpm", _search),
        Route("/clients/from-xpm", _add_from_xpm, methods=["POST"]),
        Route("/clients/{client_id}", _one),
    ]


async def _list(request: Request) -> Response:
    person, portal = reader(request), portal_of(request)
    search, after = request.query_params.get("search", "").strip(), _after(request)
    found = await portal.reads.clients(person.tenant_id, search, after, PAGE)
    template = "clients_list.html" if "list" in request.query_params else "clients.html"
    return page(request, template, found=found, search=search, first=after is None)


async def _one(request: Request) -> Response:
    person, portal = reader(request), portal_of(request)
    client = await portal.reads.client(person.tenant_id, path_part(request, "client_id"))
    members = await portal.reads.members(person.tenant_id, client.client_id)
    changes = await portal.reads.changes(person.tenant_id, client.client_id)
    names = {member.member_id: member.name for member in members} | {client.client_id: client.name}
    template = "client_people.html" if "list" in request.query_params else "client.html"
    return page(request, template, client=client, members=members, changes=changes, names=names)


async def _new(request: Request) -> Response:
    editor(request)
    return _new_form(request, {}, {})


async def _add(request: Request) -> Response:
    form = await request.form()
    person, portal = decider(request, text(form, "csrf")), portal_of(request)
    values = {field: text(form, field) for field in CLIENT_FIELDS}
    try:
        command = _client_by_hand(form, person, values)
    except ValidationError as error:
        return _new_form(request, values, problems_of(error))
    answer = await portal.commands.carry_out(person, command, portal.settings.outcome_seconds)
    if answer.outcome is not None and answer.refused:
        return _new_form(request, values, refusal(answer.outcome, "account_email"))
    return done(request, f"{values['name']} was added." if answer.applied else UNDER_WAY, "/clients")


async def _search(request: Request) -> Response:
    return await _found(request, editor(request), request.query_params.get("query", "").strip())


async def _add_from_xpm(request: Request) -> Response:
    form = await request.form()
    person, portal = decider(request, text(form, "csrf")), portal_of(request)
    query, xpm_client_id = text(form, "query"), text(form, "xpm_client_id")
    try:
        found = await portal.importer.client(person.tenant_id, xpm_client_id)
    except Problem as problem:
        return await _found(request, person, query, problem.detail)
    command = client_from_xpm(given_id(form), person, found)
    answer = await portal.commands.carry_out(person, command, portal.settings.outcome_seconds)
    if answer.outcome is not None and answer.refused:
        return await _found(request, person, query, answer.outcome.message)
    said = f"{found.name} was added from Xero Practice Manager." if answer.applied else UNDER_WAY
    return done(request, said, "/clients")


def _client_by_hand(form: FormData, person: Person, values: dict[str, str]) -> Command:
    data = ClientAdded(
        client_id=given_id(form), added_by=person.name, personal=AmendedClient(**only_given(values))
    )
    return Command(given_id(form), data)


async def _found(request: Request, person: Person, query: str, trouble: str | None = None) -> Response:
    """What XPM has for a search, and which of it is in the portal already."""
    portal = portal_of(request)
    found: list[XpmClient] = []
    if query:
        try:
            found = await portal.importer.search(person.tenant_id, query)
        except Problem as problem:
            trouble = trouble or problem.detail
    present = await portal.reads.clients_of_xpm(person.tenant_id, [each.xpm_client_id for each in found])
    return page(request, "add_from_xpm.html", query=query, found=found, present=present, trouble=trouble)


def _new_form(request: Request, values: dict[str, str], problems: Problems) -> Response:
    status = 422 if problems else 200
    return page(request, "client_new.html", status, values=values, problems=problems, id=str(uuid4()))


def _after(request: Request) -> Place | None:
    name, client_id = request.query_params.get("after"), request.query_params.get("after_id")
    return Place(name, client_id) if name is not None and client_id is not None else None
