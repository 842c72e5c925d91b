"""Where things stand: the generations, how far each contains the journal, and whose turn it is."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from services.resolver import generations
from services.resolver.generations import Generation, Purpose
from services.resolver.replaying.outbox import waiting
from worker import queries
from worker.database import connect
from worker.failures import Stop
from worker.projection import Database
from worker.settings import Settings

QUERIES = queries.load("services.resolver.replaying", "standing.sql")


NAMED = 10


class AnotherReplay(Stop):
    """Another replay or verification is at work on this database. Wait for it, or stop it."""


@dataclass(frozen=True, slots=True)
class Stand:
    """A generation, and how far it contains the journal: applied offsets per partition."""

    generation: Generation
    purpose: Purpose
    made_at: datetime | None
    replaced_by: int | None
    applied_to: Mapping[int, int] = field(default_factory=dict)
    published_to: Mapping[int, int] = field(default_factory=dict)

    @property
    def records(self) -> int:
        return sum(self.applied_to.values())


@dataclass(frozen=True, slots=True)
class Swap:
    """A swap that took place."""

    number: int
    generation: int
    before: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """The live generation and the others, newest first; `to_publish` outcomes of the last swap are not out yet."""

    live: Stand
    others: Sequence[Stand]
    last_swap: Swap | None
    to_publish: int

    def pending(self, rules: int) -> Stand | None:
        """The generation that a replay under these rules has begun and that was never swapped in."""
        found = [each for each in self.others if each.purpose == "replay" and each.replaced_by is None]
        return next((each for each in found if each.generation.rules == rules), None)

    @property
    def unfinished(self) -> list[Stand]:
        """Whatever was begun and is neither live, nor the one before, nor kept."""
        return [each for each in self.others if each.replaced_by is None and each.purpose != "snapshot"]

    @property
    def before(self) -> Stand | None:
        """The generation that the last swap took away, as long as it is kept."""
        if self.last_swap is None:
            return None
        number = self.last_swap.before
        return next((each for each in self.others if each.generation.number == number), None)

    def snapshot(self, rules: int) -> Stand | None:
        """What the last verification under these rules has kept."""
        found = [each for each in self.others if each.purpose == "snapshot"]
        return next((each for each in found if each.generation.rules == rules), None)


async def look(database: Database) -> Standing:
    """Find out. Raises `Stop` where there are no tables yet."""
    live = await generations.showing(database)
    rows = await database.fetch(generations.QUERIES.others)
    others = [
        Stand(
            Generation(row["number"], row["rules"], row["swap"]),
            row["purpose"],
            row["made_at"],
            row["replaced_by"],
            *await _positions(database, Generation(row["number"], 0, 0).schema),
        )
        for row in rows
    ]
    last = await database.fetchrow(QUERIES.last_swap)
    return Standing(
        Stand(live, "replay", None, None, *await _positions(database, live.schema)),
        others,
        Swap(**last) if last else None,
        await waiting(database, live),
    )


async def peek(settings: Settings) -> Standing:
    """Find out, also while a replay is at work."""
    database = await connect(settings, "replay")
    try:
        return await look(database)
    finally:
        await database.close(timeout=5)


async def is_at_work(database: Database) -> bool:
    """Whether a replay or a verification is at work on this database."""
    return await database.fetchrow(QUERIES.who) is not None


async def swap_offsets(database: Database) -> dict[int, list[tuple[int, int]]]:
    """Per partition from which offset on its records are answered under which swap's number."""
    found: dict[int, list[tuple[int, int]]] = {}
    for row in await database.fetch(QUERIES.swap_offsets):
        found.setdefault(row["partition"], []).append((row["offset"], row["swap"]))
    return found


async def tenants_since(database: Database, live: Stand, before: Stand) -> str:
    """Whose records an older generation lacks, in words: the tenants with the most of them, and how many others."""
    since = {each: before.applied_to.get(each, 0) for each in live.applied_to}
    text = QUERIES.tenants_since.replace("{schema}", live.generation.schema)
    rows = await database.fetch(text, list(since), list(since.values()))
    named = [f"{row['tenant_id'] or '(unreadable)'} {row['records']:,}" for row in rows[:NAMED]]
    others = f" and {len(rows) - NAMED:,} other tenants" if len(rows) > NAMED else ""
    return f"{', '.join(named) or 'none'}{others}"


@asynccontextmanager
async def alone(settings: Settings) -> AsyncIterator[Database]:
    """Have a connection of the operator's, and no other replay beside oneself. Raises `AnotherReplay`."""
    database = await connect(settings, "replay", statement_seconds=None)
    try:
        if not await database.fetchval(QUERIES.lock):
            who = await database.fetchrow(QUERIES.who)
            where = (
                f" (since {who['since']:%Y-%m-%d %H:%M:%S} UTC, server process {who['pid']})" if who else ""
            )
            raise AnotherReplay(
                f"Another replay or verification is at work on this database{where}. Wait until it is through, or stop "
                "it: what it has folded is kept."
            )
        yield database
    finally:
        await database.close(timeout=5)


async def _positions(database: Database, schema: str) -> tuple[dict[int, int], dict[int, int]]:
    if await database.fetchval("SELECT to_regclass($1) IS NULL", f"{schema}.positions"):
        return {}, {}
    rows = await database.fetch(QUERIES.positions.replace("{schema}", schema))
    return {row["partition"]: row["applied_to"] for row in rows}, {
        row["partition"]: row["published_to"] for row in rows
    }
