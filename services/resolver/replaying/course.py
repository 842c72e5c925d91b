"""The steps of a replay, of a verification, and of a look at how things were; each may be broken off at any moment."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from services.resolver import generations
from services.resolver.domain.version import RULES_VERSION
from services.resolver.generations import Generation
from services.resolver.replaying import letters, outbox, standing, swapping, told
from services.resolver.replaying.building import Builder
from services.resolver.replaying.crew import Order
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


class NothingThere(Stop):
    """There is nothing to go back to, or nothing to look at. The message says what there is."""


class Course:
    """One run beside everything that goes on. Use `begun`."""

    def __init__(
        self, settings: Settings, database: Database, journal: Journal, watcher: Watcher, builder: Builder
    ) -> None:
        """`database` is the operator's connection, which holds the lock that lets one run work at a time."""
        self.database = database
        self.journal = journal
        self.builder = builder
        self._settings = settings
        self._watcher = watcher

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
        until = await self.builder.until(found.live, restored=restored)
        self.builder.call_crew(sum(until.values()), len(until))
        there, resumed = await self.builder.take_up(found, "replay", anew=anew)
        number = await swapping.next_number(self.database)
        if restored:
            number = max(number, 1 + await told.highest_swap(self._settings, self._watcher))
            offsets = {partition: [(0, number)] for partition in until}
            order = await self.builder.order(there, until, offsets=offsets)
        else:
            order = await self.builder.order(there, until)
        settling = self._settling(order, found.live.generation, there, number)
        return await self._finish(settling, order, swap=swap, resumed=resumed, restored=restored)

    async def back(self, *, swap: bool) -> tuple[Report, Settling]:
        """Return to the generation that was live before, after catching it up.

        Raises `NothingThere`, also where the rules of this release are not those that folded it: then it names what
        would be missing.
        """
        found = await self.standing()
        before = found.before
        if before is None:
            raise NothingThere(
                "There is no generation to go back to: none was replaced, or it was dropped since."
            )
        there = before.generation
        if there.rules != RULES_VERSION:
            raise NothingThere(await self._missed(found, before))
        async with self.database.transaction():
            await generations.unseal(self.database, there)
        number = await swapping.next_number(self.database)
        order = await self.builder.order(there, await self.builder.until(found.live))
        settling = self._settling(order, found.live.generation, there, number)
        return await self._finish(settling, order, swap=swap, resumed=True)

    async def look(self, until: Mapping[int, int] | None, tenant_id: str | None) -> tuple[Report, Settling]:
        """Fold up to some place, or one tenant's records, and compare with the present; it is never swapped in.

        Raises `NothingThere` for a tenant that neither the journal nor the live tables know.
        """
        found = await self.standing()
        there, _ = await self.builder.take_up(found, "look", anew=True)
        present = await self.builder.until(found.live)
        wanted = {each: min(end, present.get(each, 0)) for each, end in (until or present).items()}
        if tenant_id is not None:
            home = partition_of(tenant_id.encode(), self._settings.journal_partitions)
            wanted = {home: wanted.get(home, 0)}
        order = await self.builder.order(there, wanted, tenant_id)
        folded = await self.builder.fold(order, there)
        settling = self._settling(order, found.live.generation, there)
        if until is None:
            await settling.compare(self._watcher, tenant_id)
        else:
            await settling.compare_as_it_was(self._watcher, wanted, tenant_id)
        report = await self._report(settling, folded, tenant_id=tenant_id)
        if tenant_id is not None and not report.counts and not any(report.compared.values()):
            await self.builder.drop(there)
            raise NothingThere(
                f"There is nothing of a practice {tenant_id}, neither in the journal up to there nor in the live "
                "tables. Is it spelt so?"
            )
        return report, settling

    async def verify(self, *, full: bool, take_over: bool) -> tuple[Report, Settling, bool]:
        """Fold the journal once more and compare, from the snapshot of the last verification on or from the beginning.

        The third value says whether this release has taken over.
        """
        found = await self.standing()
        snapshot = None if full else found.snapshot(RULES_VERSION)
        if snapshot is not None and snapshot.applied_to:  # a crash of the database empties it
            there, resumed, since = snapshot.generation, True, snapshot.applied_to
        else:
            there, resumed = await self.builder.take_up(found, "verify")
            since = {}
        order = await self.builder.order(there, await self.builder.until(found.live))
        folded = await self.builder.fold(order, there)
        settling = self._settling(order, found.live.generation, there)
        await settling.compare(self._watcher, since=since)
        report = await self._report(settling, folded, resumed=resumed)
        taken = take_over and report.identical and await swapping.take_over(settling)
        return report, settling, taken

    async def snapshot_differs(self, there: Generation) -> bool | None:
        """Whether the snapshot, caught up, differs from a generation that was folded from the beginning."""
        found = await self.standing()
        snapshot = found.snapshot(RULES_VERSION)
        if snapshot is None or not snapshot.applied_to or snapshot.generation == there:
            return None
        until = next(each.applied_to for each in found.others if each.generation == there)
        order = await self.builder.order(snapshot.generation, until)
        await self.builder.fold(order, snapshot.generation)
        settling = self._settling(order, there, snapshot.generation)
        await settling.compare(self._watcher)
        return bool(await settling.comparison.counts())

    async def _finish(
        self, settling: Settling, order: Order, *, swap: bool, resumed: bool, restored: bool = False
    ) -> tuple[Report, Settling]:
        folded = await self.builder.fold(order, settling.there)
        if not restored:
            folded = await self.builder.catch_up(order, settling.there, folded)
            with self.builder.timed("comparing"):
                await settling.compare(self._watcher)
        report = await self._report(settling, folded, resumed=resumed, restored=restored)
        if swap:
            report = await self._swap(settling, report, restored=restored)
        return report, settling

    async def _swap(self, settling: Settling, report: Report, *, restored: bool) -> Report:
        await self.publish_rest()
        async with letters.keeping(self._settings, self.database, self.journal) as kept:
            if restored:
                await kept.keep_absent(
                    settling.there.schema, await told.letters(self._settings, self._watcher)
                )
            else:
                await settling.keep_letters(kept)
                with self.builder.timed("coming closer"):
                    await settling.come_closer()
            with self.builder.timed("swapping"):
                swapped = await swapping.swap(settling, restored=restored)
        self._watcher.remark(
            f"Swap {swapped.number} has taken place: generation {settling.there.number} is live."
        )
        published = await self._publish((await self.standing()).to_publish)
        await self.builder.drop_replaced(None if restored else settling.here)  # an empty one is of no use
        return replace(report, swapped=swapped, published=published, letters=kept.number)

    def _settling(
        self, order: Order, here: Generation, there: Generation, number: int | None = None
    ) -> Settling:
        """`number` is that of the swap to come; where there is to be none, any that was never told will do."""
        swap = here.swap + 1 if number is None else number
        return Settling(self.database, self.journal, order, here, there, swap)

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
                self._watcher.progress("Publishing", waiting, unit="outcomes") as steps,
                self.builder.timed("publishing"),
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


@asynccontextmanager
async def begun(settings: Settings, watcher: Watcher, jobs: int | None) -> AsyncIterator[Course]:
    """Begin a run. Raises `AnotherReplay`, `WrongLog`, and what Kafka and Postgres raise."""
    async with standing.alone(settings) as database, reading(settings) as journal:
        cluster_id = await asyncio.wait_for(topics.cluster_id(settings), 30)
        builder = Builder(settings, database, journal, watcher, jobs, cluster_id)
        try:
            yield Course(settings, database, journal, watcher, builder)
        finally:
            builder.dismiss_crew()
