"""The budgets in Postgres, one row for each practice, which all importer processes lock in turn.

A row is locked for one lease and one report of some calls each, not for each call. After the loss of the database a
budget begins as unknown: the first call finds out what is left.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from services.importer.quota import budget as decisions
from services.importer.quota.budget import Budget, Busy, Call, Exhausted, Granted, Rules
from services.importer.quota.clock import DatabaseClock
from worker import queries

if TYPE_CHECKING:
    from asyncpg import Pool, Record
    from asyncpg.pool import PoolConnectionProxy

QUERIES = queries.load("services.importer.quota", "ledger.sql")
KEPT_FOR = timedelta(days=8)

_BUDGET = TypeAdapter(Budget)


class Ledger:
    """What practices have left; a practice is known by Xero's id of it, since that is what Xero counts by."""

    def __init__(self, pool: "Pool[Record]", rules: Rules) -> None:
        self._pool = pool
        self._clock = DatabaseClock(pool, QUERIES.clock)
        self.rules = rules

    def now(self) -> float:
        """The database's time, in seconds since 1970; right once something was leased."""
        return self._clock.now()

    async def lease(self, practice: str, name: str, *, for_person: bool) -> Granted | Busy | Exhausted:
        """Ask for calls under a new name."""
        await self._clock.keep()
        async with self._locked(practice) as held:
            held.budget, told = decisions.lease(
                held.budget, self.rules, self.now(), name, for_person=for_person
            )
        return told

    async def report(
        self, practice: str, name: str, calls: Sequence[Call], running: int | None = None
    ) -> Budget:
        """Give a lease back, or keep it for what is `running`, with the calls made so far. Returns what is left."""
        async with self._locked(practice) as held:
            held.budget = decisions.report(held.budget, self.rules, self.now(), name, calls, running)
        return held.budget

    async def forget_old(self) -> None:
        """Drop the budgets that say nothing any more."""
        await self._pool.execute(QUERIES.forget, KEPT_FOR)

    @asynccontextmanager
    async def _locked(self, practice: str) -> "AsyncIterator[_Held]":
        async with self._pool.acquire() as database, database.transaction():
            before = await _lock(database, practice)
            held = _Held(decisions.open_at(before, self.rules, self.now()))
            yield held
            if held.budget != before:
                await database.execute(QUERIES.keep, practice, _BUDGET.dump_json(held.budget).decode())


class _Held:
    def __init__(self, budget: Budget) -> None:
        self.budget = budget


async def _lock(database: "PoolConnectionProxy[Record]", practice: str) -> Budget:
    found = await database.fetchval(QUERIES.lock, practice)
    if found is None:
        await database.execute(QUERIES.open, practice, _BUDGET.dump_json(Budget()).decode())
        found = await database.fetchval(QUERIES.lock, practice)
    return _BUDGET.validate_json(found)
