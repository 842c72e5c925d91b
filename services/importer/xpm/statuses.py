"""What an HTTP status of the Xero API means, before anything of the body is read."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from services.importer.xpm.errors import (
    Forbidden,
    ReconnectRequired,
    SourceInvalid,
    SourceUnavailable,
    Throttled,
    ThrottleKind,
    XpmError,
)

_LASTING: dict[int, type[XpmError]] = {401: ReconnectRequired, 403: Forbidden}
_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY)
_KINDS: dict[str, ThrottleKind] = {
    "minute": "minute",
    "day": "day",
    "concurrent": "concurrent",
    "appminute": "appminute",
}
_USUAL_WAIT: dict[ThrottleKind, float] = {
    "minute": 60,
    "day": 3_600,
    "concurrent": 1,
    "appminute": 60,
    "unknown": 60,
}
"""Seconds to wait when a 429 does not say; for `concurrent` it never does."""

_LONGEST_WAIT = 90_000
"""25 hours: the longest window is a day, so whatever asks for more is mistaken."""


def refusal(status: int, headers: Mapping[str, str], now: datetime) -> XpmError | None:
    """The error that a status stands for, or `None` for 200. A 404 is left to whoever knows what was asked."""
    if status == HTTPStatus.OK:
        return None
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _throttled(headers, now)
    if status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return SourceUnavailable(f"HTTP {status}", retry_after=_retry_after(headers, now))
    return _LASTING.get(status, SourceInvalid)(f"HTTP {status}")


def _throttled(headers: Mapping[str, str], now: datetime) -> Throttled:
    kind = _KINDS.get(headers.get("x-rate-limit-problem", "").strip().lower(), "unknown")
    asked = _retry_after(headers, now)
    wait = _USUAL_WAIT[kind] if asked is None else asked
    return Throttled(kind, now + timedelta(seconds=wait), wait)


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds of `Retry-After`, given as a number or as a date; `None` if it is missing or senseless."""
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        seconds = _seconds_until(text, now)
    return min(seconds, _LONGEST_WAIT) if math.isfinite(seconds) and seconds > 0 else None


def _seconds_until(text: str, now: datetime) -> float:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return math.nan
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
