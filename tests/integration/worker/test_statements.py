"""What is done together with conditions: all of it, or nothing."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from worker.database import Database
from worker.statements import Condition, NotSo, Statement, execute_if

MOVED = "UPDATE moves SET place = place + 1 WHERE name = $1 AND place = $2 RETURNING 1"
SEEN = "SELECT 1 WHERE nextval('looks') > $1"
PUT = "INSERT INTO puts SELECT nextval('looks'), $1"


@pytest.fixture
async def tables(database: str) -> AsyncIterator[Database]:
    connection = await asyncpg.connect(database)
    await connection.execute(
        """
        CREATE TEMPORARY TABLE moves (name text, place integer);
        CREATE TEMPORARY TABLE puts (look integer, what text);
        CREATE TEMPORARY SEQUENCE looks;
        INSERT INTO moves VALUES ('a', 5), ('b', 5);
        """
    )
    try:
        yield connection
    finally:
        await connection.close()


def moved(name: str, place: int) -> Condition:
    return Condition(Statement(MOVED, [name, place]), 1)


async def test_all_is_done_if_the_conditions_hold(tables: Database) -> None:
    """And before what is done."""
    seen = Condition(Statement(SEEN, [0]), 1)
    await execute_if(tables, [moved("a", 5), seen], [Statement(PUT, ["x"]), Statement(PUT, ["y"])])

    assert await tables.fetchval("SELECT place FROM moves WHERE name = 'a'") == 6
    assert {row["what"] for row in await tables.fetch("SELECT what FROM puts WHERE look > 1")} == {"x", "y"}


@pytest.mark.parametrize("conditions", [[moved("a", 5), moved("b", 4)], [moved("b", 4), moved("a", 5)]])
async def test_nothing_is_done_if_one_does_not_hold(tables: Database, conditions: list[Condition]) -> None:
    """Not even what another condition does."""
    with pytest.raises(NotSo):
        await execute_if(tables, conditions, [Statement(PUT, ["x"])])

    assert await tables.fetch("SELECT FROM moves WHERE place <> 5") == []
    assert await tables.fetch("SELECT FROM puts") == []


async def test_what_comes_after_a_condition_that_does_not_hold_is_not_begun(tables: Database) -> None:
    """So it waits for nobody, and breaks on nothing."""
    with pytest.raises(NotSo):
        await execute_if(tables, [moved("a", 4), Condition(Statement(SEEN, [0]), 1)], [Statement(PUT, ["x"])])

    assert await tables.fetchval("SELECT nextval('looks')") == 1


async def test_without_anything_to_do_the_conditions_are_looked_at(tables: Database) -> None:
    """A batch may come to nothing, as long as what it relied on is so."""
    await execute_if(tables, [moved("a", 5)], [])
    with pytest.raises(NotSo):
        await execute_if(tables, [moved("a", 5)], [])


async def test_an_error_of_a_statement_stays_what_it_is(tables: Database) -> None:
    """It is not taken for a condition's."""
    with pytest.raises(asyncpg.DivisionByZeroError):
        await execute_if(
            tables, [moved("a", 5)], [Statement("INSERT INTO puts SELECT 1 / $1::integer, 'x'", [0])]
        )

    assert await tables.fetchval("SELECT place FROM moves WHERE name = 'a'") == 5
