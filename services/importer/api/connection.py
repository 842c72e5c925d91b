"""A practice's connection over HTTP, and where browsers come back from Xero."""

from dataclasses import asdict
from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from services.importer.api.asking import Authorize, Choose, Complete, Disconnect, body_of, query_of, tenant_of
from services.importer.connecting.journey import CannotConnect, Journey, Standing

SEE_OTHER = 303
NO_STORE = {"Cache-Control": "no-store"}
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Not connected</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<h1>Not connected</h1><p>{}</p></html>"""


def routes(journey: Journey) -> list[Route]:
    """The routes under `/internal/tenants`."""

    async def show(request: Request) -> Response:
        return _shown(await journey.standing(tenant_of(request)))

    async def authorize(request: Request) -> Response:
        tenant_id, wanted = tenant_of(request), await body_of(request, Authorize)
        begun = await journey.authorize(tenant_id, wanted.return_url, wanted.requested_by)
        return JSONResponse(asdict(begun), headers=NO_STORE)

    async def complete(request: Request) -> Response:
        tenant_id, brought = tenant_of(request), await body_of(request, Complete)
        outcome = await journey.complete(tenant_id, brought.ticket, brought.proof)
        said = {"connection": outcome.result} | ({"reason": outcome.reason} if outcome.reason else {})
        return JSONResponse(said, headers=NO_STORE)

    async def choose(request: Request) -> Response:
        tenant_id, chosen = tenant_of(request), await body_of(request, Choose)
        return _shown(await journey.choose(tenant_id, chosen.connection_id, chosen.requested_by))

    async def disconnect(request: Request) -> Response:
        await journey.disconnect(tenant_of(request), query_of(request, Disconnect).requested_by)
        return Response(status_code=204)

    path = "/{tenant_id}/connection"
    return [
        Route(path, show),
        Route(path, disconnect, methods=["DELETE"]),
        Route(f"{path}/authorize", authorize, methods=["POST"]),
        Route(f"{path}/complete", complete, methods=["POST"]),
        Route(f"{path}/practice", choose, methods=["POST"]),
    ]


def callback(journey: Journey) -> Route:
    """Where Xero sends a browser, which bears nothing but the state of an attempt."""

    async def come_back(request: Request) -> Response:
        given = request.query_params
        try:
            address = await journey.come_back(given.get("state", ""), given.get("code"), given.get("error"))
        except CannotConnect as problem:
            return HTMLResponse(_PAGE.format(escape(problem.sentence)), 400, NO_STORE)
        return RedirectResponse(address, SEE_OTHER, NO_STORE | {"Referrer-Policy": "no-referrer"})

    return Route("/oauth/callback", come_back)


def _shown(standing: Standing) -> Response:
    said: dict[str, Any] = {name: value for name, value in asdict(standing).items() if value is not None}
    if standing.state == "choose_practice":
        said["practices"] = [
            {"connection_id": each.connection_id, "practice_name": each.practice_name}
            for each in standing.practices
        ]
    else:
        del said["practices"]
    return JSONResponse(said, headers=NO_STORE)
