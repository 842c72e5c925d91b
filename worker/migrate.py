"""The numbered SQL of the `migrations` package, each file applied once, in order, in a transaction of its own."""

import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files

import asyncpg

from worker import queries
from worker.database import Database
from worker.failures import Stop

QUERIES = queries.load("worker", "migrate.sql")

_NAME = re.compile(r"(?P<number>\d{4})_\w+\.sql")


class WrongMigrations(Stop):
    """The files do not fit together, or the database was not made by them. The message says which one."""


@dataclass(frozen=True, slots=True, order=True)
class Migration:
    """One file."""

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """Tells an edit after the fact."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@asynccontextmanager
async def alone(dsn: str) -> AsyncIterator[Database]:
    """Have the database to oneself for migrating; others who ask wait meanwhile."""
    database = await asyncpg.connect(dsn)
    try:
        await database.execute(QUERIES.lock)
        yield database
    finally:
        await database.close()


def migrations(package: str = "migrations") -> list[Migration]:
    """The numbered files of a package, in order. Raises `WrongMigrations` unless they count up from 1."""
    found = sorted(
        Migration(int(match["number"]), each.name, each.read_text(encoding="utf-8"))
        for each in files(package).iterdir()
        if (match := _NAME.fullmatch(each.name))
    )
    numbers = [each.number for each in found]
    if numbers != list(range(1, len(found) + 1)):
        raise WrongMigrations(f"The migrations are numbered {numbers}, and have to count up from 1.")
    return found


async def apply(database: Database, wanted: Sequence[Migration]) -> list[str]:
    """Apply what the database does not have of these, and return the names of it. Raises `WrongMigrations`."""
    await database.execute(QUERIES.table)
    applied = {row["number"]: row for row in await database.fetch(QUERIES.applied)}
    for each in wanted:
        _check(each, applied.get(each.number))
    unknown = [row["name"] for number, row in applied.items() if number > len(wanted)]
    if unknown:
        raise WrongMigrations(f"The database is ahead of this release: it has {', '.join(unknown)}.")
    missing = [each for each in wanted if each.number not in applied]
    for each in missing:
        async with database.transaction():
            await database.execute(each.text)
            await database.execute(QUERIES.note, each.number, each.name, each.checksum)
    return [each.name for each in missing]


def _check(migration: Migration, applied: asyncpg.Record | None) -> None:
    if applied is not None and applied["checksum"] != migration.checksum:
        raise WrongMigrations(
            f"{migration.name} was edited after it was applied (as {applied['name']}). Put it back as it was, and "
            "write what is to change as a new migration; a development database may be emptied with `muster reset`."
        )
