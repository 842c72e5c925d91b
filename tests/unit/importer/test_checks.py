"""Looking up what a list of everything should have brought: a few for each list, however many imports ask at once."""

from datetime import UTC, datetime, timedelta

from services.importer.mirror.checks import CHECKS, Checks

LISTED = datetime(2026, 11, 25, tzinfo=UTC)


def test_imports_at_the_same_time_share_the_checks_of_a_list() -> None:
    """Also with those that other processes have made."""
    checks = Checks()
    assert [checks.begin("t1", LISTED, 0, wanted) for wanted in (4, 4, 4, 4)] == [4, 4, 2, 0]
    assert checks.begin("t2", LISTED, CHECKS - 3, 5) == 3


def test_a_new_list_has_checks_of_its_own() -> None:
    checks = Checks()
    assert checks.begin("t1", LISTED, 0, CHECKS) == CHECKS
    assert checks.begin("t1", LISTED + timedelta(hours=1), 0, 2) == 2


def test_a_check_that_came_to_nothing_is_left_for_others() -> None:
    checks = Checks()
    checks.begin("t1", LISTED, 0, CHECKS)
    checks.give_up("t1", LISTED, 3)
    assert checks.begin("t1", LISTED, 0, CHECKS) == 3
