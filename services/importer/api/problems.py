"""What the importer's HTTP API refuses, with the domain's `reason` where there is one."""

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
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
from worker import problems
from worker.problems import Problem, answer

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


def of_xpm(error: XpmError) -> Problem:
    """What XPM did not answer, under the reason that an import would fail with, or wait for."""
    sentence = error.sentence.replace(", then import again", "").replace("Import again", "Try again")
    more: dict[str, Any] = {"reason": error.reason}
    again_after = None
    if isinstance(error, Throttled):
        more["reason"], again_after = error.wait_reason, math.ceil(error.retry_after)
    elif isinstance(error, SourceUnavailable):
        again_after = math.ceil(error.retry_after or AGAIN_AFTER_SECONDS)
    if again_after is not None:
        more["retry_after"] = again_after
    if error.correlation_id:
        more["correlation_id"] = error.correlation_id
    status = _STATUS.get(type(error), HTTPStatus.SERVICE_UNAVAILABLE)
    return Problem(status, more["reason"].replace("_", "-"), sentence, again_after=again_after, **more)


async def _of_xpm(_: Request, error: Exception) -> Response:
    assert isinstance(error, XpmError)
    return answer(of_xpm(error))


async def _of_connecting(_: Request, error: Exception) -> Response:
    assert isinstance(error, CannotConnect)
    return answer(Problem(_REFUSED.get(error.kind, HTTPStatus.CONFLICT), error.kind, error.sentence))


HANDLERS: Mapping[Any, ExceptionHandler] = {
    **problems.HANDLERS,
    XpmError: _of_xpm,
    CannotConnect: _of_connecting,
}
