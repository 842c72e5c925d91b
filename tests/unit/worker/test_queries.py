"""Named queries in SQL files."""

import pytest

from worker import queries

TEXT = """
-- first --
-- The first one
SELECT 1;

-- second --
-- The second one, over two lines
SELECT 2
FROM things;
"""


def test_a_query_is_found_by_its_name() -> None:
    """Each header starts a query, which is read as an attribute or as an item."""
    loaded = queries.parse("things.sql", TEXT)

    assert loaded.first == "SELECT 1;"
    assert loaded["second"] == "SELECT 2\nFROM things;"
    assert list(loaded) == ["first", "second"]


def test_an_unknown_name_says_which_ones_there_are() -> None:
    """A misspelt name fails at once, and the message lists the right ones."""
    loaded = queries.parse("things.sql", TEXT)

    with pytest.raises(AttributeError, match=r"things\.sql has no query 'third', only first, second"):
        _ = loaded.third
    with pytest.raises(KeyError, match="third"):
        loaded["third"]


@pytest.mark.parametrize(
    "text",
    [
        "-- lonely --\nSELECT 1;",
        "-- empty --\n-- Nothing follows\n",
        "-- twice --\n-- Once\nSELECT 1;\n-- twice --\n-- Again\nSELECT 2;",
    ],
)
def test_a_file_that_is_not_well_formed_is_refused(text: str) -> None:
    """A query without a purpose, without a body or with a name that is taken is an error when loading."""
    with pytest.raises(ValueError, match=r"things\.sql"):
        queries.parse("things.sql", text)
