"""How partitions are divided into lanes."""

from hypothesis import given
from hypothesis import strategies as st

from worker.share import divided


@given(
    st.dictionaries(st.tuples(st.just("journal"), st.integers(0, 23)), st.integers(0, 5_000)),
    st.integers(1, 4),
)
def test_each_partition_is_in_one_lane_and_no_lane_is_empty(
    waiting: dict[tuple[str, int], int], number: int
) -> None:
    lanes = divided(waiting, number)

    assert sorted(where for lane in lanes for where in lane) == sorted(waiting)
    assert len(lanes) == min(number, len(waiting))
    assert all(lanes)


def test_in_each_lane_about_as_many_records_wait() -> None:
    """The longest partition is alone where the others together are shorter."""
    waiting = {("journal", 0): 500, ("journal", 1): 900, ("journal", 2): 300}

    assert sorted(map(sorted, divided(waiting, 2))) == [[("journal", 0), ("journal", 2)], [("journal", 1)]]
