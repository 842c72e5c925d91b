"""Statements with their parameters, several of them at once: who waits for a command waits for round trips."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from worker.projection import Database

_PARAMETER = re.compile(r"\$(\d+)")


class Statement(NamedTuple):
    """One that inserts, updates or deletes, and its parameters, all of which it uses."""

    text: str
    parameters: Sequence[Any]


async def execute_together(database: Database, statements: Sequence[Statement]) -> None:
    """Do what these say in one round trip, as one statement: none of them sees what another one does."""
    if statements:
        parameters = [parameter for each in statements for parameter in each.parameters]
        await database.execute(as_one(*(each.text for each in statements)), *parameters)


@cache
def as_one(*texts: str) -> str:
    """One statement that does what these do; its parameters are theirs, one after the other."""
    numbered: list[str] = []
    parameters = 0
    for text in texts:
        pieces = _PARAMETER.split(text.removesuffix(";"))
        own = {int(number) for number in pieces[1::2]}
        pieces[1::2] = [f"${int(number) + parameters}" for number in pieces[1::2]]
        numbered.append("".join(pieces))
        parameters += len(own)
    *first, last = numbered
    named = [f"part_{number} AS ({each})" for number, each in enumerate(first)]
    return f"WITH {', '.join(named)} {last}" if named else last
