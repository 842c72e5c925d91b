"""Errors over HTTP as RFC 9457 describes them, with the domain's `reason` where there is one."""

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ExceptionHandler

from services.importer.connecting.journey import CannotConnect
from services.importer.xpm.errors import (
    ClientNotFound,
    Forbidden,
    NotConnected,
    ReconnectRequired,
    SourceInvalid,
    SourceUnavailable,
    Throttled,
    XpmError,
)

AGAIN_AFTER_SECONDS = 5
_STATUS: Mapping[type[XpmError], HTTPStatus] = {
    NotConnected: HTTPStatus.CONFLICT,
    ReconnectRequired: HTTPStatus.CONFLICT,
    Forbidden: HTTPStatus.FORBIDDEN,
    ClientNotFound: HTTPStatus.NOT_FOUND,
    SourceInvalid: HTTPStatus.BAD_GATEWAY,
}
_REFUSED: Mapping[str, HTTPStatus] = {
    "foreign-return-url": HTTPStatus.BAD_REQUEST,
    "no-such-attempt": HTTPStatus.BAD_REQUEST,
    "no-such-practice": HTTPStatus.NOT_FOUND,
    "not-configured": HTTPStatus.NOT_IMPLEMENTED,
}


class Problem(Exception):
    """What went wrong with a request, for whoever made it: `more` are further members of the document."""

    def __init__(self, status: int, kind: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.more = more


def answer(problem: Problem) -> Response:
    """The problem as a response."""
    said = {
        "type": f"urn:muster:problem:{problem.kind}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        **problem.more,
    }
    headers = {"Cache-Control": "no-store"}
    if "retry_after" in problem.more:
        headers["Retry-After"] = str(problem.more["retry_after"])
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(said, problem.status, headers, media_type="application/problem+json")


def of_xpm(error: XpmError) -> Problem:
    """What XPM did not answer, under the reason that an import would fail with, or wait for."""
    sentence = error.sentence.replace(", then import again", "").replace("Import again", "Try again")
    more: dict[str, Any] = {"reason": error.reason}
    if isinstance(error, Throttled):
        more = {"reason": error.wait_reason, "retry_after": math.ceil(error.retry_after)}
    elif isinstance(error, SourceUnavailable):
        more["retry_after"] = math.ceil(error.retry_after or AGAIN_AFTER_SECONDS)
    if error.correlation_id:
        more["correlation_id"] = error.correlation_id
    status = _STATUS.get(type(error), HTTPStatus.SERVICE_UNAVAILABLE)
    return Problem(status, more["reason"].replace("_", "-"), sentence, **more)


async def _of_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return answer(error)


async def _of_xpm(_: Request, error: Exception) -> Response:
    assert isinstance(error, XpmError)
    return answer(of_xpm(error))


async def _of_connecting(_: Request, error: Exception) -> Response:
    assert isinstance(error, CannotConnect)
    return answer(Problem(_REFUSED.get(error.kind, HTTPStatus.CONFLICT), error.kind, error.sentence))


async def _of_routing(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    return answer(Problem(error.status_code, kind, "There is nothing here that answers such a request."))


async def _of_anything(_: Request, error: Exception) -> Response:  # noqa: ARG001 - what it was is in the log only
    return answer(
        Problem(
            HTTPStatus.INTERNAL_SERVER_ERROR, "failed", "The importer could not answer; its log says why."
        )
    )


HANDLERS: Mapping[Any, ExceptionHandler] = {
    Problem: _of_problem,
    XpmError: _of_xpm,
    CannotConnect: _of_connecting,
    HTTPException: _of_routing,
    Exception: _of_anything,
}
