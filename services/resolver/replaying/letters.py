"""Dead letters of a swap: records that the other generation can't process, and of which none has been kept yet.

That is what was decided in the live tables; after the loss of a database, whatever has no letter in the topic. They are
kept before the swap, as the consumer loop keeps them before it commits. Where the swap does not take place after all,
or takes place at the second attempt, a letter is one too many or comes twice under the same id: both are seen for what
they are when letters are looked at.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager

from schemas.codec import Unreadable
from schemas.topics import JOURNAL
from services.resolver.replaying.journal import GROUP, Journal
from worker import queries
from worker.deadletters import Cause, DeadLetters, letter_id_of
from worker.projection import Database
from worker.publisher import Publisher
from worker.records import Incoming
from worker.settings import Settings

QUERIES = queries.load("services.resolver.replaying", "letters.sql")
NEAR = 2_000
"""Offsets: records that are no further apart are read in one go."""
BROKEN = "the resolver broke on this record in a replay"


class Letters:
    """Keeps them; `number` is how many it was by now."""

    def __init__(self, database: Database, journal: Journal, kept_by: DeadLetters, epoch: int) -> None:
        self._database = database
        self._journal = journal
        self._kept_by = kept_by
        self._epoch = epoch
        self.number = 0

    async def keep(self, here: str, there: str, partition: int, since: int, until: int) -> None:
        """The records of a part that come to nothing there, and to something here; both are schemas.

        Returns when they are on disk. Raises `NotPublished`.
        """
        text = QUERIES.newly_lost.replace("{here}", here).replace("{there}", there)
        rows = await self._database.fetch(text, partition, since, until)
        await self._keep(partition, [row["offset"] for row in rows])

    async def keep_absent(self, there: str, known: AbstractSet[str]) -> None:
        """The records that come to nothing there, but for those whose letter has a known id."""
        absent: dict[int, list[int]] = {}
        for row in await self._database.fetch(QUERIES.lost.replace("{there}", there)):
            partition, offset = row["partition"], row["offset"]
            if letter_id_of(GROUP, JOURNAL, self._epoch, partition, offset) not in known:
                absent.setdefault(partition, []).append(offset)
        for partition, offsets in absent.items():
            await self._keep(partition, offsets)

    async def _keep(self, partition: int, offsets: Sequence[int]) -> None:
        for some in _near(offsets):
            wanted = set(some)
            async for raws, _ in self._journal.pieces(partition, some[0], some[-1] + 1):
                found = [self._journal.incoming(raw) for raw in raws if raw.offset in wanted]
                await self._kept_by.keep([(record, _cause(record)) for record in found])
                self.number += len(found)


@asynccontextmanager
async def keeping(settings: Settings, database: Database, journal: Journal) -> AsyncIterator[Letters]:
    """Have a way to the journal's dead letters."""
    publisher = Publisher(settings, "muster-replay", compression="gzip")
    try:
        kept_by = DeadLetters(publisher, GROUP, settings.topic_epoch)
        yield Letters(database, journal, kept_by, settings.topic_epoch)
    finally:
        await publisher.close()


def _cause(record: Incoming) -> Cause:
    match record.content:
        case Unreadable(why=why, detail=detail):
            return Cause(why, detail)
        case _:
            return Cause("failed", BROKEN)


def _near(offsets: Sequence[int]) -> Iterator[list[int]]:
    """Cut rising offsets where there is much between two of them."""
    some: list[int] = []
    for each in offsets:
        if some and each - some[-1] > NEAR:
            yield some
            some = []
        some.append(each)
    if some:
        yield some
