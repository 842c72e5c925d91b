"""The portal's refusals, in sentences for whoever asked."""

from http import HTTPStatus

from worker.problems import Problem


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
