"""Every failure as an answer: a problem document for programs, a page or a piece of one for people."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import structlog
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import URL
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal.browsers import TOO_LARGE
from services.portal.console.pages import is_fragment, page
from worker.failures import describe
from worker.problems import Problem, answer, of_routing

log = structlog.get_logger(__name__)

UNREADABLE = Problem(400, "unreadable", "What was sent can't be read.")
NOWHERE = ("", "/", "/clients")
"""Where one comes to after the sign-in anyway."""
NOT_HERE = "There is no such page, or it is no longer there."


def wrong_fields(error: ValidationError | RequestValidationError) -> list[dict[str, str]]:
    """What is wrong with which field, without repeating any value."""
    return [
        {"field": ".".join(map(str, each["loc"])), "problem": str(each["msg"])} for each in error.errors()
    ]


def invalid(error: ValidationError | RequestValidationError) -> Problem:
    return Problem(422, "invalid", "Some of it is not as it must be.", wrong_fields(error))


async def _of_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    if _for_programs(request):
        return answer(error)
    if error.status == HTTPStatus.UNAUTHORIZED:
        return _to_the_sign_in(request)
    return page(request, "problem.html", error.status, problem=error)


async def _of_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, ValidationError | RequestValidationError)
    return await _of_problem(request, invalid(error))


async def _of_routing(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    known = {413: TOO_LARGE, 400: UNREADABLE}.get(error.status_code)
    response = await _of_problem(request, known or of_routing(error, NOT_HERE))
    response.headers.update(error.headers or {})
    return response


async def _of_anything(request: Request, error: Exception) -> Response:
    log.error("request_failed", error=describe(error), exc_info=error)
    return await _of_problem(
        request, Problem(500, "failed", "The portal could not answer; its log says why.")
    )


def _for_programs(request: Request) -> bool:
    path: str = request.scope["path"]
    within = path.removeprefix(request.scope["root_path"])
    return within.startswith("/api/") or "text/event-stream" in request.headers.get("accept", "")


def _to_the_sign_in(request: Request) -> Response:
    """From where it leads back to the page that is open: the one asked for, or the one that asks for a piece."""
    asks = request.url if request.method == "GET" and not is_fragment(request) else _referrer(request)
    back = asks.path.removeprefix(request.scope["root_path"]) + (f"?{asks.query}" if asks.query else "")
    query = "" if back in NOWHERE else f"?{urlencode({'back': back})}"
    where = f"{request.scope['root_path']}/sign-in{query}"
    if is_fragment(request):
        return Response(status_code=401, headers={"X-Location": where})
    return RedirectResponse(where, 303)


def _referrer(request: Request) -> URL:
    """The page of ours that a request comes from; nowhere, if it comes from somebody else's."""
    page_before = URL(request.headers.get("referer", ""))
    return page_before if page_before.netloc == request.url.netloc else URL("")


HANDLERS: dict[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]] = {
    Problem: _of_problem,
    RequestValidationError: _of_validation,
    ValidationError: _of_validation,
    HTTPException: _of_routing,
    Exception: _of_anything,
}
