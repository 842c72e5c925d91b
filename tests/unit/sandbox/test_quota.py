"""Xero's limits: fixed windows, nothing rolls, and what is refused does not count."""

from contextlib import ExitStack

import pytest

from sandbox.quota import APPLICATION, Exceeded, Limits, Quota, Window


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def quota(clock, **limits) -> Quota:
    return Quota(Limits(**{"phase": 0} | limits), Window(APPLICATION, 60, 0, clock), clock)


def call(quota, times=1) -> None:
    for _ in range(times):
        with quota.call():
            pass


def test_the_minute_is_a_fixed_window(clock):
    """Sixty calls at its end do not burden the next one, which begins at its own time, not sixty seconds later."""
    limited = quota(clock, phase=10)
    clock.now = 1_029
    call(limited, 60)

    assert Exceeded("minute", 1) == limited.exceeded()
    clock.now = 1_030
    assert limited.exceeded() is None
    assert limited.headers()["x-minlimit-remaining"] == "60"


def test_the_day_outlasts_the_minute(clock):
    """When both are used up the answer names the longer wait."""
    limited = quota(clock, minute=2, day=2)
    call(limited, 2)

    assert Exceeded("day", 85_400) == limited.exceeded()


def test_five_calls_run_at_once_and_no_sixth(clock):
    """Of the concurrent limit Xero does not say when it ends: it ends with a call."""
    limited = quota(clock)
    with ExitStack() as running:
        for _ in range(5):
            running.enter_context(limited.call())
        assert Exceeded("concurrent", None) == limited.exceeded()

    assert limited.exceeded() is None


def test_the_applications_minute_is_shared(clock):
    """One practice's calls use up what another has left of the application's limit."""
    application = Window(3, 60, 0, clock)
    one, other = (Quota(Limits(), application, clock, name) for name in ("one", "other"))
    call(one, 3)

    assert Exceeded("appminute", 20) == other.exceeded()
    assert other.headers()["x-minlimit-remaining"] == "60"


def test_each_practice_has_windows_of_its_own(clock):
    """When they begin nobody is told; quickened, they hold as many calls in less time."""
    application = Window(APPLICATION, 60, 0, clock)
    several = [Quota(Limits().quickened(60), application, clock, f"practice {n}") for n in range(40)]
    for each in several:
        call(each, 60)
    clock.now += 0.5
    turned = sum(each.exceeded() is None for each in several)
    assert 5 < turned < 35
    assert all(each.minute.history.total() == 60 for each in several)
