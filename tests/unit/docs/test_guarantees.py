"""The page of guarantees names tests: each of them has to exist."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (PROJECT / "docs/guarantees.md").read_text())


def test_the_page_names_tests():
    """A page without tests would be only words."""
    assert len(NAMED) > 20


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_named_test_exists(path, name):
    """A promise points to a test that is there."""
    text = (PROJECT / path).read_text()

    assert not name or re.search(rf"def {name}\(", text)
