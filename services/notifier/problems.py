"""Errors over HTTP as RFC 9457 describes them: `application/problem+json`."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ExceptionHandler

AGAIN_AFTER_SECONDS = 2


class Problem(Exception):
    """What went wrong with a request, for whoever made it. `wrong` says which parameters are not right, and why."""

    def __init__(self, status: int, kind: str, detail: str, wrong: Sequence[Mapping[str, str]] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.wrong = wrong


def answer(problem: Problem) -> Response:
    """The problem as a response."""
    said: dict[str, Any] = {
        "type": f"urn:muster:problem:{problem.kind}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.wrong:
        said["errors"] = list(problem.wrong)
    headers = {"Cache-Control": "no-store"}
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(AGAIN_AFTER_SECONDS)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="muster"'
    return JSONResponse(said, problem.status, headers, media_type="application/problem+json")


def unavailable(detail: str) -> Problem:
    """Something that the answer needs is not there at the moment."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", detail)


async def _of_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return answer(error)


async def _of_routing(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    response = answer(Problem(error.status_code, kind, "There is nothing here that answers such a request."))
    response.headers.update(error.headers or {})
    return response


async def _of_anything(_: Request, error: Exception) -> Response:  # noqa: ARG001 - what it was is in the log only
    return answer(
        Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "failed", "Muster could not answer; the log says why.")
    )


HANDLERS: Mapping[Any, ExceptionHandler] = {
    Problem: _of_problem,
    HTTPException: _of_routing,
    Exception: _of_anything,
}
