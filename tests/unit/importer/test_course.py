"""What an import does next when XPM does not answer as it should."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.importer import course
from services.importer.course import FIRST_WAIT, LONGEST_WAIT, Fail, Patience, Wait
from services.importer.xpm import errors
from services.importer.xpm.errors import SourceInvalid, SourceUnavailable, Throttled, XpmError

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
PATIENCE = Patience(trouble=timedelta(hours=1), altogether=timedelta(hours=70))


def throttled(kind: errors.ThrottleKind, seconds: float) -> Throttled:
    return Throttled(kind, NOW + timedelta(seconds=seconds), seconds)


def after(error: XpmError, **given: object) -> Wait | Fail:
    arguments = {"requested_at": NOW, "trouble_since": None, "patience": PATIENCE, "chance": 0.0, **given}
    return course.after(error, NOW, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (errors.NotConnected(), "not_connected"),
        (errors.ReconnectRequired(), "reconnect_required"),
        (errors.Forbidden(), "forbidden"),
        (errors.ClientNotFound(), "client_not_found"),
    ],
)
def test_what_is_final_fails_at_once(error: XpmError, reason: str) -> None:
    """No time mends these, and the sentence says what a person can do."""
    assert after(error) == Fail(reason, error.sentence)


@pytest.mark.parametrize(
    ("error", "seconds", "why"),
    [
        (throttled("minute", 22), 22, "quota_minute"),
        (throttled("day", 20_000), 20_000, "quota_day"),
        (throttled("concurrent", 1), 1, "quota_minute"),
        (throttled("appminute", 0.01), 1, "quota_minute"),
    ],
)
def test_a_limit_makes_the_whole_practice_wait_as_long_as_xpm_says(
    error: Throttled, seconds: float, why: str
) -> None:
    """To the second, and never less than one; it is no trouble, so patience with trouble is not used up."""
    long_ago = NOW - timedelta(hours=20)
    assert after(error, requested_at=long_ago, trouble_since=long_ago) == Wait(
        NOW + timedelta(seconds=seconds), why, None, whole_practice=True
    )


@pytest.mark.parametrize(
    ("error", "why"), [(SourceUnavailable(), "source_unavailable"), (SourceInvalid(), "source_invalid")]
)
@pytest.mark.parametrize(
    ("lasted", "pause"),
    [
        (timedelta(), timedelta(seconds=5)),
        (timedelta(seconds=3), timedelta(seconds=5)),
        (timedelta(seconds=40), timedelta(seconds=40)),
        (timedelta(minutes=20), timedelta(minutes=5)),
        (timedelta(minutes=58), timedelta(minutes=2)),
    ],
)
def test_waits_in_trouble_double_up_to_a_cap_and_end_with_patience(
    error: XpmError, why: str, lasted: timedelta, pause: timedelta
) -> None:
    """As long as the trouble has lasted, from 5 s up to 5 minutes; the last attempt is when patience runs out."""
    assert after(error, trouble_since=NOW - lasted) == Wait(NOW + pause, why, NOW - lasted)


@pytest.mark.parametrize("error", [SourceUnavailable(), SourceInvalid()])
def test_trouble_that_outlasts_patience_fails_the_import(error: XpmError) -> None:
    """The reason is the last trouble."""
    assert after(error, trouble_since=NOW - timedelta(hours=1)) == Fail(error.reason, error.sentence)


def test_trouble_waits_as_long_as_xpm_asks() -> None:
    """But never beyond patience."""
    assert after(SourceUnavailable(retry_after=90)).until == NOW + timedelta(seconds=90)
    assert after(SourceUnavailable(retry_after=7_200)).until == NOW + timedelta(hours=1)


def test_an_import_that_would_wait_beyond_its_deadline_fails_now() -> None:
    """It ends one way or the other before its row of progress is gone."""
    asked = NOW - timedelta(hours=69, minutes=59)
    assert after(throttled("minute", 61), requested_at=asked) == Fail(
        "source_unavailable", Throttled.sentence
    )
    assert isinstance(after(throttled("minute", 59), requested_at=asked), Wait)


@pytest.mark.parametrize(("hours", "is_overdue"), [(69.99, False), (70, True), (200, True)])
def test_overdue_is_what_reaches_the_deadline(hours: float, is_overdue: bool) -> None:  # noqa: FBT001
    """Such an import is not read any more."""
    assert course.is_overdue(NOW, NOW - timedelta(hours=hours), PATIENCE) is is_overdue


@pytest.mark.parametrize(("minutes", "is_last"), [(None, False), (59, False), (60, True)])
def test_the_last_attempt_is_when_patience_has_run_out(minutes: float | None, is_last: bool) -> None:  # noqa: FBT001
    """An import without trouble has many left."""
    since = None if minutes is None else NOW - timedelta(minutes=minutes)
    assert course.is_last_attempt(NOW, since, PATIENCE) is is_last


@given(
    error=st.sampled_from((SourceInvalid(), SourceUnavailable()))
    | st.builds(SourceUnavailable, retry_after=st.floats(0.001, 90_000))
    | st.builds(throttled, st.sampled_from(("minute", "day", "concurrent")), st.floats(0.001, 90_000)),
    asked_before=st.timedeltas(timedelta(), timedelta(hours=80)),
    trouble_for=st.none() | st.timedeltas(timedelta(), timedelta(hours=2)),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_no_wait_is_out_of_bounds(
    error: XpmError, asked_before: timedelta, trouble_for: timedelta | None, chance: float
) -> None:
    """A wait goes forward, ends before the deadline, and in trouble before patience does and within the cap."""
    since = None if trouble_for is None else NOW - trouble_for
    step = after(error, requested_at=NOW - asked_before, trouble_since=since, chance=chance)
    if isinstance(step, Fail):
        return
    assert NOW < step.until < NOW - asked_before + PATIENCE.altogether
    if step.trouble_since is not None:
        assert step.until <= step.trouble_since + PATIENCE.trouble
        asked = timedelta(seconds=getattr(error, "retry_after", None) or 0)
        assert step.until - NOW <= max(LONGEST_WAIT, asked)


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=100, max_size=100))
def test_trouble_alone_always_ends(chances: list[float]) -> None:
    """In about twenty attempts patience is through, whatever chance takes off the waits."""
    now, since, waits = NOW, None, 0
    for chance in chances:
        step = course.after(SourceUnavailable(), now, NOW, since, PATIENCE, chance)
        if isinstance(step, Fail):
            break
        assert step.until - now >= min(FIRST_WAIT / 2, NOW + PATIENCE.trouble - now)
        now, since, waits = step.until, step.trouble_since, waits + 1
    assert 15 <= waits <= 40
    assert now == NOW + PATIENCE.trouble
