"""Making pages: whole ones, and the pieces that the script puts in place."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any
from urllib.parse import quote, unquote
from uuid import uuid4

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from services.portal import records
from services.portal.console import wording
from services.portal.people import Person, person_of
from services.portal.portal import portal_of
from worker.problems import Problem

ASSETS = ("console.css", "console.js", "mark.svg")


def is_fragment(request: Request) -> bool:
    """Whether the script asks for a piece, to put it in place."""
    return "x-fragment" in request.headers


def path_part(request: Request, name: str) -> str:
    """A part of the path as it was meant: slashes in ids come encoded."""
    return unquote(request.path_params[name])


def page(request: Request, template: str, status: int = 200, **shown: Any) -> Response:
    """A template as a page of its own, or as a piece where the script asks for one."""
    fragment = is_fragment(request)
    session = request.scope.get("session", {})
    said = [] if fragment else session.pop("said", [])
    body = (
        _templates()
        .get_template(template)
        .render(
            request=request,
            base=request.scope["root_path"],
            frame="fragment.html" if fragment else "page.html",
            fragment=fragment,
            person=_person(request),
            said=said,
            new_id=lambda: str(uuid4()),
            **shown,
        )
    )
    return HTMLResponse(body, status, {"Vary": "X-Fragment"})


def go(request: Request, path: str) -> Response:
    """Send the browser to another page of ours."""
    where = f"{request.scope['root_path']}{path}"
    if is_fragment(request):
        return Response(headers={"X-Location": where})
    return RedirectResponse(where, HTTPStatus.SEE_OTHER)


def leave(request: Request, address: str) -> Response:
    """Send the browser elsewhere; our policy lets no form lead there, so without the script it is a link."""
    if is_fragment(request):
        return Response(headers={"X-Location": address})
    return page(request, "leave.html", address=address)


def done(request: Request, message: str, path: str) -> Response:
    """It is done: say so, close the slide-out, and let the page under it look again."""
    if is_fragment(request):
        return page(request, "done.html", message=message)
    request.session.setdefault("said", []).append(message)
    return go(request, path)


def routes() -> list[Route]:
    """The beginning, and the assets."""
    return [Route("/", _begin), Route("/static/{name}", _Assets())]


async def _begin(request: Request) -> Response:
    return go(request, "/clients")


class _Assets:
    """Our script and styles. Their addresses change with their content, so browsers may keep them for ever."""

    def __init__(self) -> None:
        self._files = StaticFiles(packages=[("services.portal.console", "static")])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        response = await self._files.get_response(request.path_params["name"], scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        await response(scope, receive, send)


def _person(request: Request) -> Person | None:
    try:
        return person_of(request, portal_of(request).tokens)
    except (Problem, AssertionError):
        return None


@lru_cache(maxsize=1)
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("services.portal.console"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["id"] = lambda text: quote(text, safe="")
    environment.filters["instant"] = _instant
    environment.globals |= {
        "assets": {name: f"static/{name}?{_digest(name)}" for name in ASSETS},
        "fields": records.FIELDS,
        "member_fields": records.MEMBER_FIELDS,
        "words": wording,
    }
    return environment


def _digest(name: str) -> str:
    content = files("services.portal.console").joinpath("static", name).read_bytes()
    return hashlib.sha256(content).hexdigest()[:12]


def _instant(value: datetime | str) -> Mapping[str, str]:
    """An instant for machines, and in words for readers without the script, which shows it in their own zone."""
    instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    return {"machine": instant.isoformat(), "words": f"{instant:%-d %b %Y, %H:%M} UTC"}
