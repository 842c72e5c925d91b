"""One batch, one transaction: lock the positions, fold, keep the dead letters, advance, commit.

Of a few records nothing is locked beforehand: they are folded, and one statement stores all there is, if the positions
are still where the batch begins. Where they are not, or anything else is in the way, the batch goes the long way.

A batch on which the projection or the database breaks is halved, in order, down to the guilty record; that one is
given again as `Failed`, and the others are applied as if it had said nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from schemas.codec import Event, Unreadable
from worker import metrics
from worker.batch import Batch, as_failed, fence, halves, place
from worker.database import Database, is_lost
from worker.deadletters import Cause, DeadLetters
from worker.failures import CannotRecord, Unacceptable, Verdict, classify, describe
from worker.positions import Place, Positions
from worker.projection import Effects, NeedsLocks, Projection
from worker.publisher import check_size
from worker.records import Failed, Incoming, Outgoing
from worker.statements import NotSo, execute_together

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Committed:
    """What a transaction left behind: how far each partition is applied now, and what is to be published."""

    reached: Mapping[Place, int]
    outgoing: Sequence[Outgoing]


class Applying:
    """The transactions of one projection."""

    def __init__(self, projection: Projection, positions: Positions, dead_letters: DeadLetters) -> None:
        self._projection = projection
        self._positions = positions
        self._dead_letters = dead_letters

    async def apply(
        self, database: Database, batch: Batch, published: Mapping[Place, int], attempts: int = 1
    ) -> list[Committed]:
        """Commit the batch in as few transactions as it takes. Raises what no record is to blame for.

        `published` tells, at any moment, how far each partition's events are out.
        """
        try:
            return [await self._commit(database, batch, published, attempts)]
        except Exception as error:
            if classify(error) is not Verdict.BROKEN or is_lost(database) or not batch.records:
                raise
            if len(batch.records) == 1:
                return [await self._give_as_failed(database, batch, published, attempts, error)]
            log.warning("batch_broke", records=len(batch.records), error=describe(error))
        first, second = halves(batch)
        return [
            *await self.apply(database, first, published, attempts + 1),
            *await self.apply(database, second, published, attempts + 1),
        ]

    async def check(self, database: Database) -> None:
        """Raise `StandBy` or `Rewind` where the tables are no longer the projection's."""
        await self._projection.check(database)

    async def _give_as_failed(
        self,
        database: Database,
        batch: Batch,
        published: Mapping[Place, int],
        attempts: int,
        error: Exception,
    ) -> Committed:
        where = _where(batch.records[0])
        log.error("record_failed", attempts=attempts, exc_info=error, **where)
        try:
            return await self._commit(database, as_failed(batch, describe(error)), published, attempts)
        except Exception as again:
            if classify(again) is not Verdict.BROKEN or is_lost(database):
                raise
            raise CannotRecord(
                f"The record at {where} can neither be applied nor be recorded as failed: {describe(again)}. "
                "It is not skipped: mend the service, then start it again."
            ) from again

    async def _commit(
        self, database: Database, batch: Batch, published: Mapping[Place, int], attempts: int
    ) -> Committed:
        with metrics.BATCH_SECONDS.time():
            done = await self._commit_at_once(database, batch, published)
            if done is None:
                done = await self._commit_locked(database, batch, published, attempts)
        return done

    async def _commit_at_once(
        self, database: Database, batch: Batch, published: Mapping[Place, int]
    ) -> Committed | None:
        """In one statement. None where that can't be, and then nothing was stored."""
        if not 0 < len(batch.records) <= self._projection.at_once or not _all_events(batch):
            return None
        try:
            effects = await self._projection.apply(database, batch.records)
            check_size(effects.outgoing)
            if effects.failed:
                return None
            since = {place(span): span.since for span in batch.spans}
            out = published_after(batch, effects, since, published)
            await self._positions.advance_from(
                database, since, batch.ends, out, effects.rest, effects.conditions
            )
        except Exception as error:
            if classify(error) is not Verdict.BROKEN or is_lost(database):
                raise
            if not isinstance(error, NotSo | NeedsLocks):
                log.info("batch_not_stored_at_once", records=len(batch.records), error=describe(error))
            return None
        _count(batch)
        return Committed(batch.ends, effects.outgoing)

    async def _commit_locked(
        self, database: Database, batch: Batch, published: Mapping[Place, int], attempts: int
    ) -> Committed:
        async with database.transaction():
            locked = await self._positions.lock(database, batch.places)
            fresh = fence(batch, locked)
            effects = await self._effects(database, fresh)
            applied = {each: position.applied_to for each, position in locked.items()}
            out = published_after(fresh, effects, applied, published)
            found = letters(fresh, effects, attempts)
            rest = [*effects.rest, *(each.statement for each in effects.conditions)]
            if found:
                await execute_together(database, rest)  # where the batch breaks here, no letter is kept yet
                await self._dead_letters.keep(found)
                rest = []
            await self._positions.advance(database, fresh.ends, out, rest)
        _count(fresh)
        return Committed(fresh.ends, effects.outgoing)

    async def _effects(self, database: Database, fresh: Batch) -> Effects:
        if not fresh.records:
            await self.check(database)
            return Effects()
        effects = await self._projection.apply(database, fresh.records)
        check_size(effects.outgoing)
        return effects


def published_after(
    batch: Batch, effects: Effects, applied: Mapping[Place, int], published: Mapping[Place, int]
) -> dict[Place, int]:
    """How far each partition's events are out once the batch is committed; before, it is `applied` so far.

    Where everything before it is out and it has nothing to publish, that is its own end.
    """
    return {
        where: end
        if not effects.outgoing and published[where] >= applied[where]
        else min(published[where], end)
        for where, end in batch.ends.items()
    }


def letters(batch: Batch, effects: Effects, attempts: int) -> list[tuple[Incoming, Cause]]:
    """Which records of a batch are dead letters, each once, in the order of the batch."""
    broken = {(place(record), record.offset): error for record, error in effects.failed}
    found = [
        (record, _cause(record, broken.get((place(record), record.offset)), attempts))
        for record in batch.records
        if broken or not isinstance(record.content, Event)
    ]
    return [(record, cause) for record, cause in found if cause is not None]


def _cause(record: Incoming, error: BaseException | None, attempts: int) -> Cause | None:
    match record.content:
        case Unreadable(why=why, detail=detail):
            return Cause(why, detail)
        case Failed(error=name):
            return Cause("failed", "the service broke on this record", attempts, name)
        case Event() if isinstance(error, Unacceptable):
            return Cause(error.why, error.detail, attempts, describe(error))
        case Event() if error is not None:
            return Cause("failed", "the service broke on this record", attempts, describe(error))
    return None


def _all_events(batch: Batch) -> bool:
    return all(isinstance(record.content, Event) for record in batch.records)


def _count(batch: Batch) -> None:
    metrics.BATCH_RECORDS.observe(len(batch.records))
    kinds = Counter([(record.topic.name, type(record.content)) for record in batch.records])
    for (topic, kind), number in kinds.items():
        metrics.RECORDS.labels(topic, kind.__name__.lower()).inc(number)


def _where(record: Incoming) -> dict[str, str | int]:
    return {"topic": record.topic.name, "partition": record.partition, "offset": record.offset}
