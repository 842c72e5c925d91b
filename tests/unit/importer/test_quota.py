"""The quota that callers share, in made-up time against the sandbox's own limits."""

from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sandbox.quota import Limits
from services.importer.quota.application import Application
from services.importer.quota.budget import Rules
from services.importer.quota.windows import Rule
from tests.support.importing.callers import World

MINUTE = Rule(allowed=60, seconds=60, reserved=3)
DAY = Rule(allowed=5_000, seconds=86_400, reserved=250)
RULES = Rules(at_once=5, minute=MINUTE, day=DAY, lease_seconds=30)


def world(seed: int, phase: float = 17, **more) -> World:
    return World(Limits(phase=phase), RULES, Random(seed), **more)


QUICK = settings(max_examples=20, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
"""Cases are small already; making them smaller takes minutes."""


@QUICK
@given(
    seed=st.integers(0, 2**32),
    phase=st.floats(0, 60),
    callers=st.integers(1, 8),
    latency=st.sampled_from((0.01, 0.5, 4.0, 20.0)),
    stall=st.sampled_from((0.0, 1.0, 70.0)),
    skew=st.sampled_from((0.0, 0.02)),
    headers=st.booleans(),
)
def test_callers_that_share_a_quota_alone_are_never_refused(
    seed, phase, callers, latency, stall, skew, headers
):
    """Whatever the phase, however slow the answers and however long a process stands still."""
    xpm = world(seed, phase, latency=latency, stall=stall, skew=skew, headers=headers)
    xpm.run([xpm.caller() for _ in range(callers)], until=2_000)
    assert xpm.refused == []
    assert sum(xpm.used.values()) > 10


@QUICK
@given(
    seed=st.integers(0, 2**32),
    phase=st.floats(0, 60),
    callers=st.integers(2, 8),
    latency=st.sampled_from((0.1, 1.0, 2.0)),
)
def test_what_a_window_allows_is_used(seed, phase, callers, latency):
    """At least nine tenths of each window, after the few in which it is learned when they begin."""
    xpm = world(seed, phase, latency=latency)
    xpm.run([xpm.caller() for _ in range(callers)], until=2_000)
    whole = sorted(xpm.used)[3:-1]
    assert {number: xpm.used[number] for number in whole if xpm.used[number] < 54} == {}


@pytest.mark.parametrize("seed", range(5))
def test_use_of_the_quota_elsewhere_is_respected(seed):
    """Half of the minute is somebody else's: what they do not use is used, and hardly a call is refused."""
    xpm = world(seed, latency=0.5)
    xpm.run([xpm.other(every=2.0), *(xpm.caller() for _ in range(4))], until=4_000)
    windows = 50
    assert len(xpm.refused) <= windows // 5
    assert sum(xpm.used.values()) > 15 * windows


def test_the_limit_of_the_application_is_waited_for_as_long_as_xero_says():
    """All practices of the process wait, people last; without a word of Xero's, for a window."""
    clock = [100.0]
    application = Application(lambda: clock[0])
    assert application.pause(for_person=False) == 0
    application.heard(200, refused=False)
    assert (application.pause(for_person=False), application.pause(for_person=True)) == (60, 0)
    application.heard(None, refused=True, retry_after=7)
    assert (application.pause(for_person=False), application.pause(for_person=True)) == (7, 7)
    application.heard(None, refused=True)
    assert application.pause(for_person=True) == 60
    clock[0] += 60
    assert application.pause(for_person=False) == 0
