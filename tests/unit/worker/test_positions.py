"""Positions against the log."""

import pytest

from schemas.topics import JOURNAL, REQUESTS
from worker.failures import WrongLog
from worker.positions import Log, Position, check_range, first_offset

PLACE = ("muster.requests", 3)


@pytest.mark.parametrize(("begin", "end"), [(0, 5), (0, 9), (5, 5), (5, 9)])
def test_a_log_that_has_what_comes_next_is_right(begin: int, end: int) -> None:
    """Also one whose applied part was deleted altogether."""
    check_range(PLACE, Position("c", 1, 5, 5), Log(REQUESTS, begin, end))


@pytest.mark.parametrize(("begin", "end"), [(6, 9), (0, 4), (0, 0)])
def test_a_log_that_begins_too_late_or_ends_too_early_is_wrong(begin: int, end: int) -> None:
    """Either records are lost, or it is another topic."""
    with pytest.raises(WrongLog, match=r"muster\.requests\[3\]"):
        check_range(PLACE, Position("c", 1, 5, 5), Log(REQUESTS, begin, end))


def test_a_new_group_begins_where_the_log_does_unless_it_is_kept_for_ever() -> None:
    """The journal is read from 0: if its beginning is gone, that is noticed."""
    assert first_offset(Log(REQUESTS, 7, 9)) == 7
    assert first_offset(Log(JOURNAL, 7, 9)) == 0
