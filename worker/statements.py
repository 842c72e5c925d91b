"""Statements with their parameters, several of them at once: who waits for a command waits for round trips."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from asyncpg import PostgresError

from worker.projection import Database

NOT_SO = "MU001"
"""The SQLSTATE of `worker.require`."""
_PARAMETER = re.compile(r"\$(\d+)")


class Statement(NamedTuple):
    """One that inserts, updates or deletes, and its parameters, all of which it uses."""

    text: str
    parameters: Sequence[Any]


class Condition(NamedTuple):
    """A statement that has to bring so many rows, or nothing of what is done together with it stands."""

    statement: Statement
    rows: int


class NotSo(Exception):
    """A condition did not hold, and nothing was done."""


async def execute_together(database: Database, statements: Sequence[Statement]) -> None:
    """Do what these say in one round trip, as one statement: none of them sees what another one does."""
    if statements:
        parameters = [parameter for each in statements for parameter in each.parameters]
        await database.execute(as_one(*(each.text for each in statements)), *parameters)


async def execute_if(
    database: Database, conditions: Sequence[Condition], statements: Sequence[Statement]
) -> None:
    """Do what these say if the conditions hold, in one round trip. Raises `NotSo`.

    The conditions are looked at one after the other, and before anything else is done: so a row that the first one
    locks is locked before those of the second.
    """
    asked = [each.statement for each in conditions]
    parameters = [parameter for each in (*asked, *statements) for parameter in each.parameters]
    text = as_one_if(tuple(each.text for each in asked), tuple(each.text for each in statements))
    try:
        await database.execute(text, *parameters, *(each.rows for each in conditions))
    except PostgresError as error:
        if error.sqlstate != NOT_SO:
            raise
        raise NotSo from None


@cache
def as_one(*texts: str) -> str:
    """One statement that does what these do; its parameters are theirs, one after the other."""
    *first, last = _numbered(texts)[0]
    named = [f"part_{number} AS ({each})" for number, each in enumerate(first)]
    return f"WITH {', '.join(named)} {last}" if named else last


@cache
def as_one_if(conditions: Sequence[str], texts: Sequence[str]) -> str:
    """The same, if the conditions bring as many rows as the last parameters say.

    Postgres does the parts of a `WITH` that nobody reads after all else, and what is read as it is asked for.
    """
    numbered, parameters = _numbered((*conditions, *texts))
    named = [
        f"{'condition' if number < len(conditions) else 'part'}_{number} AS ({each})"
        for number, each in enumerate(numbered)
    ]
    checks = [
        f"WHEN (SELECT count(*) FROM condition_{number}) <> ${parameters + number + 1} THEN false"
        for number in range(len(conditions))
    ]
    return f"WITH {', '.join(named)} SELECT worker.require(CASE {' '.join(checks)} ELSE true END)"


def _numbered(texts: Sequence[str]) -> tuple[list[str], int]:
    """These with their parameters one after the other, and how many those are."""
    numbered: list[str] = []
    parameters = 0
    for text in texts:
        pieces = _PARAMETER.split(text.removesuffix(";"))
        own = {int(number) for number in pieces[1::2]}
        pieces[1::2] = [f"${int(number) + parameters}" for number in pieces[1::2]]
        numbered.append("".join(pieces))
        parameters += len(own)
    return numbered, parameters
