"""Folding a partition of the journal into a generation: whole tenants in memory, large pieces, few statements.

What a record comes to is the same as in the consumer loop. Where the database breaks on a piece, that piece is taken
again the way the loop takes it: in batches that are halved down to the guilty record.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

import structlog

from schemas.topics import JOURNAL
from services.resolver import generations, rows, saving, store
from services.resolver.domain.entities import Claim
from services.resolver.domain.fold import JournalRecord
from services.resolver.domain.state import TenantState, World
from services.resolver.projection import journal_record
from services.resolver.replaying.journal import Journal
from worker import queries
from worker.applying import Applying
from worker.deadletters import Cause, DeadLetters
from worker.failures import Rewind, classify, describe
from worker.failures import Verdict as Classified
from worker.positions import Place, Positions
from worker.projection import Database, Effects
from worker.reading import Raw
from worker.records import Incoming, Outgoing, Span

log = structlog.get_logger(__name__)

QUERIES = queries.load("services.resolver.replaying", "queries.sql")
RECORDS_OF_A_TRANSACTION = 20_000
RECORDS_AT_ONCE = 50
"""From bytes to the rows of `decisions`: so few stay in the CPU's cache, which takes a quarter off their time."""
RECORDS_OF_A_BATCH = 1_000
ROWS_IN_MEMORY = 400_000
"""Of all tenants together, ids that were claimed among them: about half a gigabyte. What is stored may be evicted."""

Tell = Callable[[int, int], None]
"""Is told a partition and how far it is folded."""


class Numbers:
    """Under which swap's number a record is answered: that of the last swap before it."""

    def __init__(self, offsets: Mapping[int, Sequence[tuple[int, int]]]) -> None:
        self._offsets = offsets

    def at(self, partition: int, offset: int) -> int:
        return max((swap for since, swap in self._offsets.get(partition, ()) if since <= offset), default=0)

    def runs(self, records: Sequence[JournalRecord]) -> Iterator[tuple[int, Sequence[JournalRecord]]]:
        """Cut records of one partition, in their order, where the number changes."""
        if not records:
            return
        first, last = records[0], records[-1]
        swaps = self._offsets.get(first.partition, ())
        if not any(first.offset < since <= last.offset for since, _ in swaps):
            yield self.at(first.partition, first.offset), records
            return
        for number, run in groupby(records, lambda each: self.at(each.partition, each.offset)):
            yield number, list(run)


class Unkept(DeadLetters):
    """Nothing is published while a replay folds."""

    def __init__(self) -> None:
        pass

    async def keep(self, found: Sequence[tuple[Incoming, Cause]]) -> None:
        """Leave it."""


class Refolding:
    """The loop's projection for a generation that is not live: the same fold, and nothing to tell."""

    group = "resolver"
    topics = (JOURNAL,)
    lanes = 1
    at_once = 0
    apart = 0.0

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    async def prepare(self, database: Database) -> None:
        """The connection was made for the generation."""

    async def check(self, database: Database) -> None:
        """Nobody takes it away."""

    async def apply(self, database: Database, batch: Sequence[Incoming]) -> Effects:
        failed: list[tuple[Incoming, BaseException]] = []
        by_place = {(each.partition, each.offset): each for each in batch}
        for partition in sorted({each.partition for each in batch}):
            records = [journal_record(each) for each in batch if each.partition == partition]
            for number, run in self._numbers.runs(records):
                world = await store.load(database, run, number)
                verdicts, decisions = saving.fold(world, run)
                await saving.save(database, world, decisions)
                failed += [
                    (by_place[each.record.partition, each.record.offset], each.error)
                    for each in verdicts
                    if each.error is not None
                ]
        return Effects(failed=failed)

    async def unpublished(self, _database: Database, _span: Span) -> Sequence[Outgoing]:
        return ()


class Folder:
    """Folds partitions one after the other, each from where the generation's position stands."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        positions: Positions,
        numbers: Numbers,
        tell: Tell,
    ) -> None:
        """The connection's role and search path are the generation's."""
        self._database = database
        self._journal = journal
        self._positions = positions
        self._numbers = numbers
        self._tell = tell
        self._applying = Applying(Refolding(numbers), positions, Unkept())
        self._world = World()
        self._decisions: list[rows.Values] = []
        self._recent: dict[str, None] = {}
        self._load_absent = False

    async def fold(self, partition: int, since: int, until: int, tenant: bytes | None = None) -> None:
        """Fold the records of a part, or only those whose key is a tenant's. Raises `Rewind` if somebody else does."""
        self._forget(whatever_is_stored=since > 0)
        at = since
        async for raws, reached in self._journal.pieces(partition, since, until):
            chosen = [each for each in raws if tenant is None or each.key == tenant]
            for first in range(0, len(chosen), RECORDS_AT_ONCE):
                await self._take(chosen[first : first + RECORDS_AT_ONCE])
            if len(self._decisions) >= RECORDS_OF_A_TRANSACTION or reached == until:
                await self._store(partition, at, reached, tenant)
                at = reached
            self._tell(partition, reached)

    async def fold_in_batches(
        self, partition: int, since: int, until: int, tenant: bytes | None = None
    ) -> None:
        """The same as the consumer loop does it."""
        place = (JOURNAL.name, partition)
        start = since
        async for raws, reached in self._journal.pieces(partition, since, until):
            chosen = [each for each in raws if tenant is None or each.key == tenant]
            for first in range(0, max(len(chosen), 1), RECORDS_OF_A_BATCH):
                some = chosen[first : first + RECORDS_OF_A_BATCH]
                end = reached if first + RECORDS_OF_A_BATCH >= len(chosen) else some[-1].offset + 1
                batch = self._journal.batch(partition, start, end, some)
                await self._applying.apply(self._database, batch, {place: end})
                start = end
            self._tell(partition, reached)

    async def _take(self, raws: Sequence[Raw]) -> None:
        records = [self._journal.record(each) for each in raws]
        await self._make_present({each.event.tenant_id for each in records if each.event is not None})
        for number, run in self._numbers.runs(records):
            self._world.swap = number
            self._decisions += saving.fold(self._world, run)[1]

    async def _store(self, partition: int, since: int, until: int, tenant: bytes | None) -> None:
        place = (JOURNAL.name, partition)
        try:
            async with self._database.transaction():
                await self._fence(place, since)
                await saving.save(self._database, self._world, self._decisions)
                await self._positions.advance(self._database, {place: until}, {place: until})
        except Exception as error:
            if classify(error) is not Classified.BROKEN or self._database.is_closed():
                raise
            log.warning("piece_broke", partition=partition, since=since, until=until, error=describe(error))
            self._forget(whatever_is_stored=True)
            await self.fold_in_batches(partition, since, until, tenant)
            return
        for state in self._world.tenants.values():
            state.settle()
        self._decisions = []
        await self._evict()

    async def _fence(self, place: Place, since: int) -> None:
        locked = await self._positions.lock(self._database, [place])
        if place not in locked or locked[place].applied_to != since:
            raise Rewind(f"another replay has gone on with {place[0]}[{place[1]}]")

    async def _make_present(self, tenants: set[str]) -> None:
        """Load those that may be stored and are not in memory; each becomes the last one to be evicted."""
        for tenant_id in tenants & self._recent.keys():
            self._recent[tenant_id] = self._recent.pop(tenant_id)
        absent = sorted(tenants - self._recent.keys())
        self._recent.update(dict.fromkeys(absent))
        if absent and self._load_absent:
            await _load(self._database, self._world, absent)

    async def _evict(self) -> None:
        weights = {tenant_id: _weight(state) for tenant_id, state in self._world.tenants.items()}
        total = sum(weights.values())
        for tenant_id in list(self._recent):
            if total <= ROWS_IN_MEMORY:
                return
            total -= weights.get(tenant_id, 0)
            del self._recent[tenant_id]
            self._world.tenants.pop(tenant_id, None)
            await self._load_absent_ones()

    async def _load_absent_ones(self) -> None:
        """From here on: which takes the indexes that are otherwise made in the end."""
        if not self._load_absent:
            self._load_absent = True
            async with self._database.transaction():
                await self._database.execute(QUERIES.index_alone)
                for text in generations.INDEXES.values():
                    await self._database.execute(text)

    def _forget(self, *, whatever_is_stored: bool) -> None:
        self._world = World()
        self._decisions = []
        self._recent = {}
        self._load_absent = whatever_is_stored


async def _load(database: Database, world: World, tenants: Sequence[str]) -> None:
    for row in await database.fetch(QUERIES.clients_of_tenants, tenants):
        world.tenant(row["tenant_id"]).put_client(rows.client(row))
    for row in await database.fetch(QUERIES.members_of_tenants, tenants):
        world.tenant(row["tenant_id"]).put_member(rows.member(row))
    for row in await database.fetch(QUERIES.links_of_tenants, tenants):
        world.tenant(row["tenant_id"]).put_link(rows.link(row))
    for row in await database.fetch(QUERIES.items_of_tenants, tenants):
        world.tenant(row["tenant_id"]).put_item(rows.item(row))
    for row in await database.fetch(QUERIES.imports_of_tenants, tenants):
        world.tenant(row["tenant_id"]).put_import(rows.import_(row))
    for row in await database.fetch(QUERIES.holders_of_tenants, tenants):
        world.tenant(row["tenant_id"]).hold_email(row["email"], rows.holder(row))
    for row in await database.fetch(QUERIES.claims_of_tenants, tenants):
        claim = Claim(row["offset"], row["content"])
        world.tenant(row["tenant_id"]).claims[row["event_id"]] = claim
    for tenant_id in tenants:
        world.tenant(tenant_id).settle()


def _weight(state: TenantState) -> int:
    return sum(
        len(each)
        for each in (state.clients, state.members, state.links, state.items, state.imports, state.claims)
    )
