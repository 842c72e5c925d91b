"""Generations beside the live one: begun or gone on with, folded up to some place, indexed, kept, dropped.

Each step may be broken off at any moment: what it has stored is whole, and the next run goes on from there.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from services.resolver import generations
from services.resolver.domain.version import RULES_VERSION
from services.resolver.generations import Generation, Purpose
from services.resolver.replaying import crew, standing
from services.resolver.replaying.crew import Crew, Order
from services.resolver.replaying.folding import Tell
from services.resolver.replaying.journal import Journal
from services.resolver.replaying.report import Folded
from services.resolver.replaying.standing import Stand, Standing
from worker.database import connect
from worker.projection import Database
from worker.settings import Settings
from worker.watching import Watcher

if TYPE_CHECKING:
    from worker.positions import Log, Place

MOST_JOBS = 8
FEW = 10_000
"""Records: so few are folded faster by this process alone than it takes to start others."""
FAR_BEHIND = 5_000
"""Records: more than this is folded the fast way once more before the comparison."""


class Builder:
    """Builds on the operator's connection, `database`, which holds the lock that lets one run work at a time."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        journal: Journal,
        watcher: Watcher,
        jobs: int | None,
        cluster_id: str,
    ) -> None:
        """`jobs` None: as many processes as there are cores, and one alone where there is little to fold."""
        self._settings = settings
        self._database = database
        self._journal = journal
        self._watcher = watcher
        self._jobs = jobs
        self._cluster_id = cluster_id
        self._crew: Crew | None = None
        self.phases: dict[str, float] = {}
        """How many seconds of this run each kind of work has taken so far."""

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Count what happens inside as this kind of work."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.phases[phase] = self.phases.get(phase, 0.0) + time.monotonic() - began

    def call_crew(self, records: int, parts: int) -> None:
        """Start the processes that are to fold so many records of so many partitions, where it takes several.

        Called early, they import what they need while the order is prepared.
        """
        jobs = min(self._jobs or _jobs_for(records), parts)
        if self._crew is None and jobs > 1:
            self._crew = Crew(jobs)

    def dismiss_crew(self) -> None:
        """End what was called and never needed."""
        if self._crew is not None:
            self._crew.dismiss()

    async def take_up(
        self, found: Standing, purpose: Purpose, *, anew: bool = False
    ) -> tuple[Generation, bool]:
        """The generation that an earlier run has begun under these rules, and True; or a new one."""
        begun = [each for each in found.unfinished if each.purpose == purpose]
        if not anew:
            for stand in begun:
                if stand.generation.rules == RULES_VERSION:
                    return stand.generation, True
        for stand in begun:
            await self.drop(stand.generation)
        return await self._make(purpose), False

    async def order(
        self,
        there: Generation,
        until: Mapping[int, int],
        tenant_id: str | None = None,
        offsets: Mapping[int, Sequence[tuple[int, int]]] | None = None,
    ) -> Order:
        """What is to be folded; answers are numbered as the swaps of the past have them, unless `offsets` says so."""
        numbered = await standing.swap_offsets(self._database) if offsets is None else offsets
        return Order(self._settings, there.schema, self._cluster_id, numbered, until, tenant_id)

    async def fold(self, order: Order, there: Generation) -> Folded:
        """Fold from where the generation stands up to where the order says, and have its indexes made."""
        folded = await self._fold(order, there, await self._applied(there))
        with self.timed("indexing"):
            await self._complete(there)
        return folded

    async def catch_up(self, order: Order, there: Generation, folded: Folded) -> Folded:
        """The live generation has gone on meanwhile: come so close that the comparison can do the rest."""
        live = (await standing.look(self._database)).live
        behind = sum(end - order.until.get(each, 0) for each, end in live.applied_to.items())
        if behind < FAR_BEHIND:
            return folded
        more = await self._fold(replace(order, until=live.applied_to), there, order.until)
        return Folded(folded.records + more.records, folded.seconds + more.seconds)

    async def until(self, live: Stand, *, restored: bool = False) -> dict[int, int]:
        """Where the live generation stands; where its database was lost, the end of the journal."""
        if not restored:
            return dict(live.applied_to)
        logs: Mapping[Place, Log] = await self._journal.logs()
        return {place[1]: log.end for place, log in logs.items()}

    async def keep(self, there: Generation) -> None:
        """Let a generation that was found right be the snapshot; the one before it goes."""
        for stand in (await standing.look(self._database)).others:
            if stand.purpose == "snapshot" and stand.generation != there:
                await self.drop(stand.generation)
        await self._database.execute(generations.QUERIES.keep_as_snapshot, there.number)

    async def drop(self, generation: Generation) -> None:
        """Drop a generation that is not live."""
        await generations.drop(self._database, generation.number)

    async def drop_replaced(self, kept: Generation | None) -> None:
        """Only the generation that has just been replaced is kept, to go back to; None for not even that one."""
        for stand in (await standing.look(self._database)).others:
            is_kept = kept is not None and stand.generation.number == kept.number
            if stand.purpose == "replay" and not is_kept:
                await self.drop(stand.generation)

    async def discard(self, purposes: Sequence[Purpose] = ("replay", "verify", "look")) -> list[Stand]:
        """Drop what was begun and never swapped in."""
        unfinished = [
            each for each in (await standing.look(self._database)).unfinished if each.purpose in purposes
        ]
        for stand in unfinished:
            await self.drop(stand.generation)
        return unfinished

    async def _make(self, purpose: Purpose) -> Generation:
        async with self._database.transaction():
            row = await self._database.fetchrow(generations.QUERIES.add_generation, RULES_VERSION, purpose)
            assert row is not None
            generation = Generation(**row)
            await generations.create(self._database, generation, logged=purpose == "replay")
        return generation

    async def _applied(self, there: Generation) -> Mapping[int, int]:
        others = (await standing.look(self._database)).others
        return next(each.applied_to for each in others if each.generation.number == there.number)

    async def _fold(self, order: Order, there: Generation, since: Mapping[int, int]) -> Folded:
        began = time.monotonic()
        reached = {each: since.get(each, 0) for each in order.until}
        records = sum(max(0, end - reached[each]) for each, end in order.until.items())
        if any(since.values()) and records:
            await self._index(there)
        with self._watcher.progress("Folding", records) as steps:

            def tell(partition: int, to: int) -> None:
                steps.advance(max(0, to - reached[partition]))
                reached[partition] = max(reached[partition], to)

            with self.timed("folding"):
                self.call_crew(records, len(order.until))
                await self._fold_it(order, tell)
        return Folded(records, time.monotonic() - began)

    async def _fold_it(self, order: Order, tell: Tell) -> None:
        if self._crew is None:
            await crew.fold(order, tell)
        else:
            called, self._crew = self._crew, None
            await called.fold(order, tell)

    async def _complete(self, there: Generation) -> None:
        beside = await connect(self._settings, "replay", statement_seconds=None)
        try:
            await generations.complete(self._database, beside, there)
        finally:
            await beside.close(timeout=5)

    async def _index(self, there: Generation) -> None:
        async with self._database.transaction():
            await generations.index(self._database, there)


def _jobs_for(records: int) -> int:
    return 1 if records < FEW else min(os.cpu_count() or 1, MOST_JOBS)
