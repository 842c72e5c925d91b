"""The steps of a replay, of a verification, and of a look at how things were; each may be broken off at any moment.

A generation that was begun is gone on with by the next run, from where its positions stand.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from services.resolver import generations
from services.resolver.domain.version import RULES_VERSION
from services.resolver.generations import Generation, Purpose
from services.resolver.replaying import crew, letters, outbox, standing, swapping, told
from services.resolver.replaying.crew import Order
from services.resolver.replaying.folding import QUERIES
from services.resolver.replaying.journal import Journal, reading
from services.resolver.replaying.report import Folded, Report
from services.resolver.replaying.settling import Settling
from services.resolver.replaying.standing import Stand, Standing
from worker import topics
from worker.failures import Stop
from worker.projection import Database
from worker.publisher import Publisher
from worker.routing import partition_of
from worker.settings import Settings
from worker.watching import Watcher

if TYPE_CHECKING:
    from worker.positions import Log, Place

MOST_JOBS = 8
FEW = 10_000
"""Records: so few are folded faster by this process alone than it takes to start others."""
FAR_BEHIND = 5_000
"""Records: more than this is folded the fast way once more before the comparison."""


class NothingThere(Stop):
    """There is nothing to go back to, or nothing to replay. The message says what there is."""


class Course:
    """One run beside everything that goes on; `database` is the operator's connection, which holds the lock."""

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
        self.database = database
        self.watcher = watcher
        self._settings = settings
        self.journal = journal
        self._jobs = jobs
        self._cluster_id = cluster_id
        self.phases: dict[str, float] = {}
        """How many seconds of this run each kind of work has taken so far."""

    async def standing(self) -> Standing:
        return await standing.look(self.database)

    async def publish_rest(self) -> int:
        """Publish what an earlier swap has left, if anything."""
        waiting = (await self.standing()).to_publish
        return await self._publish(waiting) if waiting else 0

    async def replay(self, *, swap: bool, anew: bool = False) -> tuple[Report, Settling]:
        """Fold the journal beside the live tables, compare, and swap if asked to."""
        found = await self.standing()
        restored = not any(found.live.applied_to.values())
        there, resumed = await self._generation(found, "replay", anew=anew)
        number = await swapping.next_number(self.database)
        if restored:
            number = max(number, 1 + await told.highest_swap(self._settings, self.watcher))
        until = await self._until(found.live, restored=restored)
        offsets = await self._offsets()
        if restored:
            offsets = {partition: [(0, number)] for partition in until}
        order = Order(self._settings, there.schema, self._cluster_id, offsets, until)
        return await self._finish(found, there, order, number, swap=swap, resumed=resumed, restored=restored)

    async def back(self, *, swap: bool) -> tuple[Report, Settling]:
        """Return to the generation that was live before, after catching it up.

        Raises `NothingThere`, also where the rules of this release are not those that folded it: then it names what
        would be missing.
        """
        found = await self.standing()
        there = found.before
        if there is None:
            raise NothingThere(
                "There is no generation to go back to: none was replaced, or it was dropped since."
            )
        if there.generation.rules != RULES_VERSION:
            raise NothingThere(await self._missed(found, there))
        async with self.database.transaction():
            await generations.unseal(self.database, there.generation)
        number = await swapping.next_number(self.database)
        until = await self._until(found.live, restored=False)
        order = Order(self._settings, there.generation.schema, self._cluster_id, await self._offsets(), until)
        return await self._finish(
            found, there.generation, order, number, swap=swap, resumed=True, restored=False
        )

    async def look(self, until: Mapping[int, int] | None, tenant_id: str | None) -> tuple[Report, Settling]:
        """Fold up to some place, or one tenant's records, and compare with the present; it is never swapped in."""
        found = await self.standing()
        for stand in found.unfinished:
            if stand.purpose == "look":
                await generations.drop(self.database, stand.generation.number)
        there = await self._make("look")
        present = await self._until(found.live, restored=False)
        wanted = {each: min(end, present.get(each, 0)) for each, end in (until or present).items()}
        if tenant_id is not None:
            home = partition_of(tenant_id.encode(), self._settings.journal_partitions)
            wanted = {home: wanted.get(home, 0)}
        order = Order(
            self._settings, there.schema, self._cluster_id, await self._offsets(), wanted, tenant_id
        )
        folded = await self._fold(order, {})
        await self._index(there)
        settling = Settling(
            self.database, self.journal, order, found.live.generation, there, found.live.generation.swap + 1
        )
        if until is None:
            await settling.compare(self.watcher, tenant_id)
        else:
            await settling.compare_as_it_was(self.watcher, wanted, tenant_id)
        return await self._report(settling, folded, tenant_id=tenant_id), settling

    async def verify(self, *, full: bool, take_over: bool) -> tuple[Report, Settling, bool]:
        """Fold the journal once more and compare, from the snapshot of the last verification on or from the beginning.

        The third value says whether this release has taken over.
        """
        found = await self.standing()
        snapshot = None if full else found.snapshot(RULES_VERSION)
        if snapshot is not None and not snapshot.applied_to:  # a crash of the database has emptied it
            snapshot = None
        since: Mapping[int, int] = {}
        if snapshot is not None:
            there, resumed, since = snapshot.generation, True, snapshot.applied_to
        else:
            there, resumed = await self._generation(found, "verify", anew=False)
        until = await self._until(found.live, restored=False)
        order = Order(self._settings, there.schema, self._cluster_id, await self._offsets(), until)
        stand = next((each for each in (await self.standing()).others if each.generation == there), None)
        folded = await self._fold(order, stand.applied_to if stand else {})
        await self._index(there)
        settling = Settling(
            self.database, self.journal, order, found.live.generation, there, found.live.generation.swap + 1
        )
        await settling.compare(self.watcher, since=since)
        report = await self._report(settling, folded, resumed=resumed)
        taken = take_over and report.identical and await swapping.take_over(settling)
        return report, settling, taken

    async def keep(self, there: Generation) -> None:
        """Let a generation that was found right be the snapshot; the one before it goes."""
        for stand in (await self.standing()).others:
            if stand.purpose == "snapshot" and stand.generation != there:
                await generations.drop(self.database, stand.generation.number)
        await self.database.execute(generations.QUERIES.keep_as_snapshot, there.number)

    async def discard(self, purposes: Sequence[Purpose] = ("replay", "verify", "look")) -> list[Generation]:
        """Drop what was begun and never swapped in."""
        unfinished = [each for each in (await self.standing()).unfinished if each.purpose in purposes]
        for stand in unfinished:
            await generations.drop(self.database, stand.generation.number)
        return [each.generation for each in unfinished]

    async def drop(self, generation: Generation) -> None:
        """Drop a generation that is not live."""
        await generations.drop(self.database, generation.number)

    async def snapshot_differs(self, there: Generation) -> bool | None:
        """Whether the snapshot, caught up, differs from a generation that was folded from the beginning."""
        snapshot = (await self.standing()).snapshot(RULES_VERSION)
        if snapshot is None or not snapshot.applied_to or snapshot.generation == there:
            return None
        stand = next(each for each in (await self.standing()).others if each.generation == there)
        order = Order(
            self._settings,
            snapshot.generation.schema,
            self._cluster_id,
            await self._offsets(),
            stand.applied_to,
        )
        await self._fold(order, snapshot.applied_to)
        settling = Settling(self.database, self.journal, order, there, snapshot.generation, 0)
        await settling.compare(self.watcher)
        return bool(await settling.comparison.counts())

    async def _finish(
        self,
        found: Standing,
        there: Generation,
        order: Order,
        number: int,
        *,
        swap: bool,
        resumed: bool,
        restored: bool,
    ) -> tuple[Report, Settling]:
        stand = next((each for each in found.others if each.generation.number == there.number), None)
        folded = await self._fold(order, stand.applied_to if stand else {})
        await self._index(there)
        here = found.live.generation
        settling = Settling(self.database, self.journal, order, here, there, number)
        if not restored:
            folded = await self._catch_up(order, folded)
            with self._timed("comparing"):
                await settling.compare(self.watcher)
        report = await self._report(settling, folded, resumed=resumed, restored=restored)
        if swap:
            report = await self._swap(settling, report, restored=restored)
        return report, settling

    async def _swap(self, settling: Settling, report: Report, *, restored: bool) -> Report:
        waiting = (await self.standing()).to_publish
        if waiting:
            await self._publish(waiting)
        async with letters.keeping(self._settings, self.database, self.journal) as kept:
            if not restored:
                await settling.keep_letters(kept)
                with self._timed("coming closer"):
                    await settling.come_closer()
            with self._timed("swapping"):
                swapped = await swapping.swap(settling, restored=restored)
        published = await self._publish((await self.standing()).to_publish)
        await self._drop_old(settling, restored=restored)
        return replace(report, swapped=swapped, published=published, letters=kept.number)

    async def _drop_old(self, settling: Settling, *, restored: bool) -> None:
        """Only the generation that has just been replaced is kept, to go back to; an empty one is of no use."""
        for stand in (await self.standing()).others:
            is_before = stand.generation.number == settling.here.number
            if stand.purpose == "replay" and (restored or not is_before):
                await generations.drop(self.database, stand.generation.number)

    async def _generation(self, found: Standing, purpose: Purpose, *, anew: bool) -> tuple[Generation, bool]:
        """The one that an earlier run has begun under these rules, or a new one."""
        begun = [each for each in found.unfinished if each.purpose == purpose]
        if not anew:
            for stand in begun:
                if stand.generation.rules == RULES_VERSION:
                    return stand.generation, True
        for stand in begun:
            await generations.drop(self.database, stand.generation.number)
        return await self._make(purpose), False

    async def _make(self, purpose: Purpose) -> Generation:
        async with self.database.transaction():
            row = await self.database.fetchrow(generations.QUERIES.add_generation, RULES_VERSION, purpose)
            assert row is not None
            generation = Generation(**row)
            await generations.create(self.database, generation, logged=purpose == "replay")
        return generation

    async def _until(self, live: Stand, *, restored: bool) -> dict[int, int]:
        """Where the live generation stands; where there is none, the end of the journal."""
        if not restored:
            return dict(live.applied_to)
        logs: Mapping[Place, Log] = await self.journal.logs()
        return {place[1]: log.end for place, log in logs.items()}

    async def _offsets(self) -> dict[int, list[tuple[int, int]]]:
        offsets: dict[int, list[tuple[int, int]]] = {}
        for row in await self.database.fetch(QUERIES.swap_offsets):
            offsets.setdefault(row["partition"], []).append((row["offset"], row["swap"]))
        return offsets

    async def _fold(self, order: Order, since: Mapping[int, int]) -> Folded:
        began = time.monotonic()
        reached = {each: since.get(each, 0) for each in order.until}
        records = sum(max(0, end - reached[each]) for each, end in order.until.items())
        if any(since.values()) and records:
            await self._index_schema(order.schema)
        with self.watcher.progress("Folding", records) as steps:

            def tell(partition: int, to: int) -> None:
                steps.advance(max(0, to - reached[partition]))
                reached[partition] = max(reached[partition], to)

            with self._timed("folding"):
                await crew.fold(order, self._jobs or _jobs_for(records), tell)
        return Folded(records, time.monotonic() - began)

    async def _catch_up(self, order: Order, folded: Folded) -> Folded:
        """The live generation has gone on meanwhile: come so close that the comparison can do the rest."""
        live = (await self.standing()).live
        behind = sum(end - order.until.get(each, 0) for each, end in live.applied_to.items())
        if behind < FAR_BEHIND:
            return folded
        more = await self._fold(replace(order, until=live.applied_to), order.until)
        return Folded(folded.records + more.records, folded.seconds + more.seconds)

    async def _index(self, there: Generation) -> None:
        with self._timed("indexing"):
            await self._index_schema(there.schema)
            for table in (*generations.TABLES, "positions"):
                await self.database.execute(f"ANALYZE {there.schema}.{table}")

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.phases[phase] = self.phases.get(phase, 0.0) + time.monotonic() - began

    async def _index_schema(self, schema: str) -> None:
        generation = Generation(int(schema.removeprefix("resolver_g")), 0, 0)
        async with self.database.transaction():
            await generations.index(self.database, generation)

    async def _report(
        self,
        settling: Settling,
        folded: Folded,
        *,
        tenant_id: str | None = None,
        resumed: bool = False,
        restored: bool = False,
    ) -> Report:
        counts = [] if restored else await settling.comparison.counts()
        answers, states = (0, 0) if restored or tenant_id else await settling.planned()
        compared = await settling.comparison.compared(tenant_id)
        return Report(
            settling.here, settling.there, resumed, folded, counts, compared, answers, states, restored
        )

    async def _publish(self, waiting: int) -> int:
        if not waiting:
            return 0
        publisher = Publisher(self._settings, "muster-replay")
        try:
            with (
                self.watcher.progress("Publishing", waiting, unit="outcomes") as steps,
                self._timed("publishing"),
            ):
                return await outbox.publish(self.database, publisher, steps.advance)
        finally:
            await publisher.close()

    async def _missed(self, found: Standing, there: Stand) -> str:
        missing = {
            each: end - there.applied_to.get(each, 0)
            for each, end in found.live.applied_to.items()
            if end > there.applied_to.get(each, 0)
        }
        number, rules = there.generation.number, there.generation.rules
        return (
            f"Generation {number} was folded by rules {rules}, and this release has rules {RULES_VERSION}: it can't be "
            f"caught up by this release. Going back would miss {await self._named(missing, found.live, there)}. Run "
            f"`muster replay --back` with the release that has rules {rules}."
        )

    async def _named(self, missing: Mapping[int, int], live: Stand, there: Stand) -> str:
        if not missing:
            return "nothing so far"
        records, partitions = sum(missing.values()), len(missing)
        tenants = await standing.tenants_since(self.database, live, there)
        return f"{records:,} record{'s' * (records != 1)} of {partitions} partition{'s' * (partitions != 1)}: {tenants}"


def _jobs_for(records: int) -> int:
    return 1 if records < FEW else min(os.cpu_count() or 1, MOST_JOBS)


@asynccontextmanager
async def begun(settings: Settings, watcher: Watcher, jobs: int | None) -> AsyncIterator[Course]:
    """Begin a run. Raises `AnotherReplay`, `WrongLog`, and what Kafka and Postgres raise."""
    async with standing.alone(settings) as database, reading(settings) as journal:
        cluster_id = await asyncio.wait_for(topics.cluster_id(settings), 30)
        yield Course(settings, database, journal, watcher, jobs, cluster_id)
