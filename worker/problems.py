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
    """What went wrong with a request, for whoever made it: `detail` is a sentence for a person.

    `wrong` says which fields or parameters are not right, and why; `again_after` in how many seconds another attempt
    makes sense; `more` are further members of the document.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        wrong: Sequence[Mapping[str, str]] = (),
        again_after: int | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.wrong = wrong
        self.again_after = again_after
        self.more = more

    def document(self) -> dict[str, Any]:
        """The problem as JSON."""
        said: dict[str, Any] = {
            "type": f"urn:muster:problem:{self.kind}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }
        if self.wrong:
            said["errors"] = [dict(each) for each in self.wrong]
        return said

    @property
    def headers(self) -> dict[str, str]:
        headers = {"Cache-Control": "no-store"}
        if self.again_after is not None:
            headers["Retry-After"] = str(self.again_after)
        if self.status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = 'Bearer realm="muster"'
        return headers


def unavailable(detail: str, again_after: int = AGAIN_AFTER_SECONDS) -> Problem:
    """Something that the answer needs is not there at the moment."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", detail, again_after=again_after)


def answer(problem: Problem) -> Response:
    """The problem as a response."""
    return JSONResponse(
        problem.document(), problem.status, problem.headers, media_type="application/problem+json"
    )


def of_routing(error: HTTPException, detail: str) -> Problem:
    """What Starlette itself refuses: an address that is not there, a method that is not allowed."""
    return Problem(error.status_code, HTTPStatus(error.status_code).phrase.lower().replace(" ", "-"), detail)


async def _of_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return answer(error)


async def _of_routing(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = answer(of_routing(error, "There is nothing here that answers such a request."))
    response.headers.update(error.headers or {})
    return response


async def _of_anything(_: Request, error: Exception) -> Response:  # noqa: ARG001 - what it was is in the log only
    return answer(
        Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "failed", "Muster could not answer; its log says why.")
    )


HANDLERS: Mapping[Any, ExceptionHandler] = {
    Problem: _of_problem,
    HTTPException: _of_routing,
    Exception: _of_anything,
}
"""For a Starlette app that answers programs."""
