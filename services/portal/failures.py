"""Every failure as an answer: a problem document for programs, a page or a piece of one for people."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.portal.browsers import TOO_LARGE
from services.portal.console.pages import is_fragment, page
from services.portal.problems import Problem, answer
from worker.failures import describe

log = structlog.get_logger(__name__)

UNREADABLE = Problem(400, "unreadable", "What was sent can't be read.")
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
    kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    known = {413: TOO_LARGE, 400: UNREADABLE}.get(error.status_code)
    response = await _of_problem(request, known or Problem(error.status_code, kind, NOT_HERE))
    response.headers.update(error.headers or {})
    return response


async def _of_anything(request: Request, error: Exception) -> Response:
    log.error("request_failed", error=describe(error), exc_info=error)
    return await _of_problem(
        request, Problem(500, "failed", "The portal could not answer; its log says why.")
    )


def _for_programs(request: Request) -> bool:
    path: str = request.scope["path"]
    return path.removeprefix(request.scope["root_path"]).startswith("/api/")


def _to_the_sign_in(request: Request) -> Response:
    where = f"{request.scope['root_path']}/sign-in"
    if is_fragment(request):
        return Response(headers={"X-Location": where})
    return RedirectResponse(where, 303)


HANDLERS: dict[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]] = {
    Problem: _of_problem,
    RequestValidationError: _of_validation,
    ValidationError: _of_validation,
    HTTPException: _of_routing,
    Exception: _of_anything,
}
