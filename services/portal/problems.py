"""Errors over HTTP as RFC 9457 describes them, and as a page where a person is looking."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse, Response

AGAIN_AFTER_SECONDS = 2


class Problem(Exception):
    """What went wrong with a request, for whoever made it: `detail` is a sentence for a person.

    `wrong` says which fields are not right, and why; `again_after` in how many seconds another attempt makes sense.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        wrong: Sequence[Mapping[str, str]] = (),
        again_after: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.wrong = wrong
        self.again_after = again_after

    def document(self) -> dict[str, Any]:
        """The problem as JSON."""
        said: dict[str, Any] = {
            "type": f"urn:muster:problem:{self.kind}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.wrong:
            said["errors"] = [dict(each) for each in self.wrong]
        return said

    @property
    def headers(self) -> dict[str, str]:
        headers = {"Cache-Control": "no-store"}
        if self.again_after is not None:
            headers["Retry-After"] = str(self.again_after)
        return headers


def answer(problem: Problem) -> Response:
    """The problem as a response."""
    return JSONResponse(
        problem.document(), problem.status, problem.headers, media_type="application/problem+json"
    )


def unavailable(detail: str, again_after: int = AGAIN_AFTER_SECONDS) -> Problem:
    """Something that the answer needs is not there at the moment."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", detail, again_after=again_after)


def not_there(what: str) -> Problem:
    """There is no such thing, or it is another tenant's: the answer is the same."""
    return Problem(HTTPStatus.NOT_FOUND, "not-there", f"There is no such {what}.")


def signed_out() -> Problem:
    return Problem(HTTPStatus.UNAUTHORIZED, "signed-out", "Sign in first.")


def not_allowed() -> Problem:
    return Problem(
        HTTPStatus.FORBIDDEN, "read-only", "You may look at everything, but not change or decide anything."
    )


def forged() -> Problem:
    return Problem(
        HTTPStatus.FORBIDDEN,
        "csrf",
        "This did not come from a page of ours, or the page is too old: load it again.",
    )


def too_many(again_after: int) -> Problem:
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "too-many-requests",
        "That was too much at once: wait a moment.",
        again_after=again_after,
    )
