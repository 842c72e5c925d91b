"""Under which swap's number records are answered."""

import pytest

from services.resolver.domain.fold import JournalRecord
from services.resolver.replaying.folding import Numbers


@pytest.mark.parametrize(
    ("offsets", "runs"),
    [
        ([], [(0, [10, 11, 12])]),
        ([(0, 1)], [(1, [10, 11, 12])]),
        ([(0, 1), (10, 2)], [(2, [10, 11, 12])]),
        ([(0, 1), (11, 2)], [(1, [10]), (2, [11, 12])]),
        ([(11, 1), (12, 2)], [(0, [10]), (1, [11]), (2, [12])]),
        ([(0, 1), (13, 2)], [(1, [10, 11, 12])]),
    ],
)
def test_records_are_cut_where_a_swap_took_place(offsets: list[tuple[int, int]], runs):
    """A swap counts from its offset on; those of other partitions don't."""
    records = [JournalRecord(3, offset, 0, None) for offset in (10, 11, 12)]

    found = [
        (number, [each.offset for each in run])
        for number, run in Numbers({3: offsets, 4: [(11, 9)]}).runs(records)
    ]

    assert found == runs


def test_nothing_is_in_no_run():
    assert list(Numbers({3: [(0, 1)]}).runs([])) == []
