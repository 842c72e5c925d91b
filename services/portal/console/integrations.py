"""Configure -> Integrations: the practice's connection to XPM, and the progress of everything."""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.progress import IntegrationProgressed
from services.portal.console.forms import text
from services.portal.console.pages import done, go, leave, page
from services.portal.importer import PRACTICE_TAKEN, Connection
from services.portal.people import Person, forget_proof, keep_proof, kept_proof
from services.portal.portal import decider, editor, portal_of, public_url, reader
from services.portal.progress import Listed, Query
from worker.problems import Problem

PAGE = "50"
FILTERS = ("kind", "status", "client_id")
FAILED: Mapping[str, str] = {
    "access_denied": "The consent was not given, so nothing was connected.",
    "no_practice": "That sign-in at Xero has no practice in Xero Practice Manager.",
    "practice_taken": PRACTICE_TAKEN,
    "another_browser": "This attempt was begun in another browser, or by somebody else: begin again here.",
    "over": "This attempt is over already. Begin again if the practice is not connected.",
    "expired": "The consent took too long: try again.",
    "source_unavailable": "Xero does not answer at the moment; try again in a while.",
}
FAILED_OTHERWISE = "The connection was not made. Try again, and tell support if it fails again."


def routes() -> list[Route]:
    return [
        Route("/integrations", _connections),
        Route("/integrations/connect", _connect, methods=["POST"]),
        Route("/integrations/practice", _choose, methods=["POST"]),
        Route("/integrations/disconnect", _ask_to_disconnect),
        Route("/integrations/disconnect", _disconnect, methods=["POST"]),
        Route("/integrations/progress", _progress),
    ]


async def _connections(request: Request) -> Response:
    if request.query_params.get("connection") == "confirm":
        return await _complete(request)
    person = reader(request)
    connection, trouble = await _connection(request, person)
    template = "connection.html" if "list" in request.query_params else "integrations.html"
    came_back = request.query_params.get("connection")
    return page(
        request,
        template,
        connection=connection,
        trouble=trouble,
        came_back=came_back,
        failed=FAILED.get(request.query_params.get("reason", ""), FAILED_OTHERWISE),
    )


async def _connect(request: Request) -> Response:
    form = await request.form()
    person, portal = decider(request, text(form, "csrf")), portal_of(request)
    back = public_url(request, "/integrations")
    begun = await portal.importer.authorize(person.tenant_id, back, person.name)
    keep_proof(request, begun.proof)
    return leave(request, begun.authorize_url)


async def _complete(request: Request) -> Response:
    """A browser is back from Xero. That it is the one which was sent there, its session proves."""
    person, portal = decider(request), portal_of(request)
    ticket = request.query_params.get("ticket", "")
    outcome = await portal.importer.complete(person.tenant_id, ticket, kept_proof(request))
    forget_proof(request)
    return go(request, f"/integrations?{urlencode(outcome.model_dump(exclude_none=True))}")


async def _choose(request: Request) -> Response:
    form = await request.form()
    person, portal = decider(request, text(form, "csrf")), portal_of(request)
    await portal.importer.choose(person.tenant_id, text(form, "connection_id"), person.name)
    return go(request, "/integrations?connection=connected")


async def _ask_to_disconnect(request: Request) -> Response:
    person = editor(request)
    connection, _ = await _connection(request, person)
    return page(request, "disconnect.html", connection=connection)


async def _disconnect(request: Request) -> Response:
    form = await request.form()
    person, portal = decider(request, text(form, "csrf")), portal_of(request)
    await portal.importer.disconnect(person.tenant_id, person.name)
    return done(request, "The practice is no longer connected to Xero Practice Manager.", "/integrations")


async def _connection(request: Request, person: Person) -> tuple[Connection | None, str | None]:
    """How the practice stands, or a sentence on why that can't be said."""
    try:
        return await portal_of(request).importer.connection(person.tenant_id), None
    except Problem as problem:
        return None, problem.detail


async def _progress(request: Request) -> Response:
    person, portal = reader(request), portal_of(request)
    try:
        listed = await portal.notifier.page(person.tenant_id, [*_filters(request), *_place(request)])
    except Problem as problem:
        if problem.status != HTTPStatus.SERVICE_UNAVAILABLE:
            raise
        return _progress_later(request, problem)
    name = await _client_name(request, person)
    template = "progress_list.html" if "list" in request.query_params else "progress.html"
    return page(
        request,
        template,
        trouble=None,
        rows=[row for row in listed.rows if not _is_part_of_a_bulk_shown(row, listed)],
        parts_of_bulk=_parts(listed),
        chosen=dict(_filters(request)),
        client_name=name,
        query=urlencode(_filters(request)),
        more=urlencode([*_filters(request), ("cursor", listed.following)]) if listed.following else None,
    )


def _progress_later(request: Request, problem: Problem) -> Response:
    """The page with a word on why its list is missing; the script looks again by itself."""
    in_place = "list" in request.query_params
    return page(
        request,
        "progress_list.html" if in_place else "progress.html",
        problem.status,
        trouble=problem.detail,
        chosen=dict(_filters(request)),
        client_name=None,
    )


async def _client_name(request: Request, person: Person) -> str | None:
    client_id = request.query_params.get("client_id")
    if not client_id:
        return None
    found = await portal_of(request).reads.some_clients(person.tenant_id, [client_id])
    return found[0].name if found else None


def _filters(request: Request) -> Query:
    """The filters that were chosen; one that is empty is none."""
    return [(name, request.query_params[name]) for name in FILTERS if request.query_params.get(name)]


def _place(request: Request) -> Query:
    cursor = request.query_params.get("cursor")
    return [("limit", PAGE), *([("cursor", cursor)] if cursor else [])]


def _parts(listed: Listed) -> dict[str, list[IntegrationProgressed]]:
    """The imports of each bulk, to be shown under the row that sums them up."""
    parts: dict[str, list[IntegrationProgressed]] = {}
    for row in listed.rows:
        if _is_part_of_a_bulk_shown(row, listed) and row.bulk_id is not None:
            parts.setdefault(row.bulk_id, []).append(row)
    return parts


def _is_part_of_a_bulk_shown(row: IntegrationProgressed, listed: Listed) -> bool:
    return (
        row.kind == "import"
        and row.bulk_id is not None
        and any(each.kind == "bulk_import" and each.row_id == row.bulk_id for each in listed.rows)
    )
