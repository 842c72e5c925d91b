"""So many a minute: a burst is let through, then one at a time as the bucket fills."""

import pytest

from services.portal import limits
from services.portal.limits import Limit
from worker.problems import Problem


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def refused(limit: Limit, key: str = "anna") -> int | None:
    """After how many seconds one may come back; None if it was let through."""
    try:
        limit.take(key)
    except Problem as problem:
        return problem.again_after
    return None


def test_a_burst_is_let_through_and_no_more() -> None:
    limit = Limit(60, Clock())

    assert [refused(limit) for _ in range(61)] == [None] * 60 + [1]


def test_the_bucket_fills_steadily() -> None:
    """Six a minute are one in ten seconds."""
    clock = Clock()
    limit = Limit(6, clock)
    for _ in range(6):
        limit.take("anna")
    clock.now = 4

    assert refused(limit) == 6
    clock.now = 10
    assert refused(limit) is None
    assert refused(limit) == 10


def test_everybody_has_their_own() -> None:
    limit = Limit(1, Clock())
    limit.take("anna")

    assert refused(limit, "ben") is None


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who was here least lately is forgotten."""
    monkeypatch.setattr(limits, "KEPT", 2)
    limit = Limit(1, Clock())
    for key in ("anna", "ben", "cy"):
        limit.take(key)

    assert refused(limit, "cy") is not None
    assert refused(limit, "anna") is None
