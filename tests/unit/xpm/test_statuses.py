"""What each HTTP status of the API means."""

from datetime import UTC, datetime, timedelta

import pytest

from services.importer.xpm.errors import (
    Forbidden,
    ReconnectRequired,
    SourceInvalid,
    SourceUnavailable,
    Throttled,
)
from services.importer.xpm.statuses import refusal

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_only_200_is_an_answer():
    """Nothing else is worth reading."""
    assert refusal(200, {}, NOW) is None


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, ReconnectRequired),
        (403, Forbidden),
        (500, SourceUnavailable),
        (503, SourceUnavailable),
        (599, SourceUnavailable),
        (408, SourceUnavailable),
        (302, SourceInvalid),
        (204, SourceInvalid),
        (400, SourceInvalid),
    ],
)
def test_each_status_has_one_meaning(status, error):
    """Lasting refusals end an import, passing ones make it wait."""
    found = refusal(status, {}, NOW)

    assert type(found) is error
    assert f"HTTP {status}" in str(found)


@pytest.mark.parametrize(
    ("headers", "kind", "wait"),
    [
        ({"x-rate-limit-problem": "minute", "retry-after": "22"}, "minute", 22),
        ({"x-rate-limit-problem": "Day", "retry-after": "41000"}, "day", 41_000),
        ({"x-rate-limit-problem": "day"}, "day", 3_600),
        ({"x-rate-limit-problem": "concurrent"}, "concurrent", 1),
        ({"x-rate-limit-problem": "lunar", "retry-after": "5"}, "unknown", 5),
        ({}, "unknown", 60),
        ({"x-rate-limit-problem": "minute", "retry-after": "soon"}, "minute", 60),
        ({"x-rate-limit-problem": "minute", "retry-after": "-3"}, "minute", 60),
        ({"x-rate-limit-problem": "minute", "retry-after": "nan"}, "minute", 60),
        ({"x-rate-limit-problem": "day", "retry-after": "9" * 30}, "day", 90_000),
        ({"x-rate-limit-problem": "minute", "retry-after": "Mon, 02 Mar 2026 12:00:07 GMT"}, "minute", 7),
    ],
)
def test_a_throttle_says_which_limit_and_until_when(headers, kind, wait):
    """Retry-After is honoured, as a number or a date; a missing or senseless one is replaced by the usual wait."""
    found = refusal(429, headers, NOW)

    assert isinstance(found, Throttled)
    assert (found.kind, found.retry_after, found.until) == (kind, wait, NOW + timedelta(seconds=wait))
    assert found.wait_reason == ("quota_day" if kind == "day" else "quota_minute")


def test_an_outage_may_say_how_long():
    """A 503 with Retry-After is a promise worth keeping in mind."""
    found = refusal(503, {"retry-after": "120"}, NOW)

    assert isinstance(found, SourceUnavailable)
    assert found.retry_after == 120
