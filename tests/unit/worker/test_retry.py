"""The schedule of attempts."""

from hypothesis import given
from hypothesis import strategies as st

from worker.retry import CAP_SECONDS, FIRST_SECONDS, delay

attempts = st.integers(min_value=1, max_value=10_000)
chances = st.floats(min_value=0, max_value=1, exclude_max=True)


def test_the_schedule_doubles_up_to_a_cap() -> None:
    """Without luck, the waits are those of the docstring."""
    waits = [delay(attempt, 0) for attempt in range(1, 10)]

    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10]


@given(attempts, chances)
def test_a_wait_is_never_above_the_cap_and_never_below_half_of_the_first(attempt: int, chance: float) -> None:
    """However long it goes on and whatever the luck."""
    assert FIRST_SECONDS / 2 <= delay(attempt, chance) <= CAP_SECONDS


@given(attempts, chances)
def test_a_later_wait_is_not_shorter(attempt: int, chance: float) -> None:
    """With the same luck, patience only grows."""
    assert delay(attempt, chance) <= delay(attempt + 1, chance)
