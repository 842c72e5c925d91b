"""Whom a redriven record is for."""

import pytest

from worker.redrive import COUNT, GROUP, is_for


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], True),
        ([("trace", b"1")], True),
        ([(GROUP, b"resolver")], True),
        ([(GROUP, b"notifier")], False),
        ([(GROUP, None)], False),
        ([(GROUP, b"notifier"), (COUNT, b"2"), (GROUP, b"resolver")], True),
    ],
)
def test_a_copy_is_for_the_group_that_it_names_last(headers, expected):
    """What names none is for everybody."""
    assert is_for("resolver", headers) is expected
