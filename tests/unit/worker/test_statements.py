"""Several statements as one."""

from worker.statements import as_one


def test_statements_together_keep_their_own_parameters() -> None:
    """Numbers are moved on by what the statements before use, however often one is used in them."""
    first = "INSERT INTO a SELECT $2, $1, $2;"
    without = "DELETE FROM b;"
    last = "UPDATE c SET d = $1 WHERE e = $3 + $2;"

    assert as_one(first, without, last) == (
        "WITH part_0 AS (INSERT INTO a SELECT $2, $1, $2), part_1 AS (DELETE FROM b) "
        "UPDATE c SET d = $3 WHERE e = $5 + $4"
    )


def test_one_statement_stays_as_it_is() -> None:
    """Only its semicolon goes."""
    assert as_one("DELETE FROM b WHERE c = $1;") == "DELETE FROM b WHERE c = $1"
