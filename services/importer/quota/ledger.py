"""The budgets in Postgres, one row for each practice, which all importer processes change in turn.

A lease and its report are a change each, whatever the number of calls between them; those that a process wants at the
same time are decided one after the other and kept as one. Who changes a budget says which one it was decided on: if
that has changed meanwhile, it is decided anew. So nobody holds a lock, and a process that is alone with a practice
makes one round trip for a change. After the loss of the database a budget begins as unknown: the first call finds out
what is left.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter

from services.importer.quota import budget as decisions
from services.importer.quota.budget import Budget, Busy, Call, Exhausted, Granted, Rules
from services.importer.quota.clock import DatabaseClock
from services.importer.together import Together
from worker import queries

if TYPE_CHECKING:
    from asyncpg import Pool, Record

QUERIES = queries.load("services.importer.quota", "ledger.sql")
OTHERS_FIRST_SECONDS = 0.005
CHANGES_AT_ONCE = 20

_BUDGET = TypeAdapter(Budget)

Told = TypeVar("Told")
_Decide = Callable[[Budget, float], tuple[Budget, Told]]


class Ledger:
    """What practices have left; a practice is known by Xero's id of it, since that is what Xero counts by."""

    def __init__(self, pool: "Pool[Record]", rules: Rules) -> None:
        self._pool = pool
        self._clock = DatabaseClock(pool, QUERIES.clock)
        self._known: dict[str, tuple[Budget, int]] = {}
        self._changing: dict[str, Together[_Decide[Any], Any]] = {}
        self.rules = rules

    def now(self) -> float:
        """The database's time, in seconds since 1970; right once something was leased."""
        return self._clock.now()

    async def lease(self, practice: str, name: str, *, for_person: bool) -> Granted | Busy | Exhausted:
        """Ask for calls under a new name."""
        await self._clock.keep()
        return await self._change(
            practice,
            lambda budget, now: decisions.lease(budget, self.rules, now, name, for_person=for_person),
        )

    async def report(
        self, practice: str, name: str, calls: Sequence[Call], running: int | None = None
    ) -> Budget:
        """Give a lease back, or keep it for what is `running`, with the calls made so far. Returns what is left."""

        def reported(budget: Budget, now: float) -> tuple[Budget, Budget]:
            left = decisions.report(budget, self.rules, now, name, calls, running)
            return left, left

        return await self._change(practice, reported)

    def left(self, practice: str) -> int:
        """Calls that imports may still make, as far as this process has heard; none where nothing was told."""
        known = self._known.get(practice)
        return decisions.left(decisions.open_at(known[0], self.rules, self.now()), self.rules) if known else 0

    async def _change(self, practice: str, decide: _Decide[Told]) -> Told:
        changing = self._changing.get(practice)
        if changing is None:
            changing = Together(partial(self._change_together, practice), CHANGES_AT_ONCE, rest=0)
            self._changing[practice] = changing
        told: Told = await changing(decide)
        return told

    async def _change_together(self, practice: str, some: Sequence[_Decide[Any]]) -> list[Any]:
        """Decide on what is known here first; if that changes nothing, on what is true."""
        known = self._known.get(practice)
        while True:
            before, changes = known or await self._look(practice)
            now = self.now()
            after, told = decisions.open_at(before, self.rules, now), list[Any]()
            for decide in some:
                after, answer = decide(after, now)
                told.append(answer)
            if after == before and known is None:
                return told
            if after != before and await self._keep(practice, after, changes):
                self._known[practice] = after, changes + 1
                return told
            if known is None:
                await asyncio.sleep(random.random() * OTHERS_FIRST_SECONDS)  # noqa: S311 - not for secrets
            known = None

    async def _look(self, practice: str) -> tuple[Budget, int]:
        row = await self._pool.fetchrow(QUERIES.known, practice)
        return (_BUDGET.validate_json(row["budget"]), row["changes"]) if row else (Budget(), 0)

    async def _keep(self, practice: str, budget: Budget, changes: int) -> bool:
        """Whether nobody was quicker."""
        text = _BUDGET.dump_json(budget).decode()
        if changes == 0:
            return _is_one(await self._pool.execute(QUERIES.open, practice, text))
        return _is_one(await self._pool.execute(QUERIES.keep, practice, text, changes))


def _is_one(done: str) -> bool:
    return done.endswith(" 1")
