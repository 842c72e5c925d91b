"""Times and durations as operators type them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ops.ending import Misused
from ops.times import (
    instant,
    milliseconds,
    parse_duration,
    parse_time,
    required_time,
    shown_duration,
    shown_time,
)

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("1d12h", timedelta(hours=36)),
        ("1w", timedelta(days=7)),
        ("", None),
        ("12", None),
        ("1h30", None),
        ("-1h", None),
        ("2 h", None),
    ],
)
def test_a_duration_is_a_number_and_its_unit(text, expected):
    """Several may stand together; anything else is none."""
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-25", datetime(2026, 11, 25, tzinfo=UTC)),
        ("2026-11-25T09:30", datetime(2026, 11, 25, 9, 30, tzinfo=UTC)),
        ("2026-11-25T09:30:00Z", datetime(2026, 11, 25, 9, 30, tzinfo=UTC)),
        ("2026-11-25T09:30:00+13:00", datetime(2026, 11, 25, 9, 30, tzinfo=timezone(timedelta(hours=13)))),
        ("2h", NOW - timedelta(hours=2)),
        ("yesterday", None),
    ],
)
def test_a_time_is_an_instant_or_how_long_ago(text, expected):
    """Without a zone it is UTC."""
    assert parse_time(text, NOW) == expected


def test_what_is_no_time_is_refused_with_what_would_be_one():
    """The sentence shows every form."""
    with pytest.raises(Misused, match=r"'soon' is no time: say 2026-11-25T09:00:00Z.*2h"):
        required_time("soon", NOW)


def test_milliseconds_are_those_of_brokers():
    """There and back."""
    assert instant(milliseconds(NOW)) == NOW
    assert milliseconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)) == 1000


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1 min"), (3725, "1 h 2 min"), (90_000, "1 d 1 h")],
)
def test_a_duration_is_shown_in_two_units_at_most(seconds, expected):
    """As much as a person reads."""
    assert shown_duration(seconds) == expected


def test_a_time_is_shown_in_utc():
    """Wherever it came from."""
    assert shown_time(datetime(2026, 1, 1, 13, tzinfo=timezone(timedelta(hours=13)))) == "2026-01-01 00:00:00"
    assert shown_time(None) == "-"
