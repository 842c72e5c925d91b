"""The resolver as the consumer loop sees it: load, fold, store, tell."""

from collections.abc import Awaitable, Callable, Sequence
from weakref import WeakKeyDictionary

from schemas.codec import Event, Unreadable
from schemas.topics import JOURNAL, OUTCOMES, Topic
from services.resolver import foreign, generations, saving, store
from services.resolver.domain.fold import JournalRecord, Verdict
from services.resolver.domain.state import World
from services.resolver.generations import Generation
from services.resolver.rows import Values
from worker.projection import Database, Effects, NeedsLocks
from worker.records import Failed, Incoming, Outgoing, Span
from worker.statements import Statement

MayBegin = Callable[[Database, Generation], Awaitable[None]]


class ResolverProjection:
    """The tables of the live generation as a fold of the journal."""

    group = "resolver"
    topics: Sequence[Topic] = (JOURNAL,)
    lanes = 3
    """A tenant is on one partition, and no row, index key or order of outcomes is shared by two tenants."""
    at_once = store.AT_ONCE
    apart = 0.0
    """Others wait for what it decides."""

    def __init__(self, may_begin: MayBegin | None = None) -> None:
        """`may_begin` raises `StandBy` where these tables are not to be filled."""
        self._prepared: WeakKeyDictionary[Database, Generation] = WeakKeyDictionary()
        self._may_begin = may_begin

    async def prepare(self, database: Database) -> None:
        await database.execute("SET ROLE muster_resolver")
        generation = await generations.live(database)
        await database.execute(f"SET search_path TO {generation.schema}")
        if self._may_begin is not None:
            await self._may_begin(database, generation)
        self._prepared[database] = generation

    async def check(self, database: Database) -> None:
        await generations.check(database, self._prepared.get(database))

    async def apply(self, database: Database, batch: Sequence[Incoming]) -> Effects:
        live = self._prepared[database]
        records = [journal_record(incoming) for incoming in batch]
        world = await store.load(database, records, live.swap, live)
        verdicts, decisions = saving.fold(world, records)
        rest = await self._save(database, world, decisions, verdicts)
        await foreign.count(database, verdicts)
        return Effects(
            outgoing=await self._outgoing(database, verdicts),
            failed=[
                (incoming, verdict.error)
                for incoming, verdict in zip(batch, verdicts, strict=True)
                if verdict.error is not None
            ],
            rest=rest,
            conditions=[generations.stays_live(live)],
        )

    async def _save(
        self, database: Database, world: World, decisions: Sequence[Values], verdicts: Sequence[Verdict]
    ) -> Sequence[Statement]:
        """Store what came of a batch, or return what is still to be done for that."""
        repeats = any(verdict.result == "repeated" for verdict in verdicts)
        if not database.is_in_transaction():
            if repeats:
                raise NeedsLocks
            return saving.statements(world, decisions)
        if saving.are_few(decisions) and not repeats:  # what answers a repeat may be in this very batch
            return saving.statements(world, decisions)
        await saving.save(database, world, decisions)
        return ()

    async def unpublished(self, database: Database, span: Span) -> Sequence[Outgoing]:
        found = await store.outcomes(database, span.partition, span.since, span.until)
        return [Outgoing(OUTCOMES, tenant_id, outcome) for tenant_id, outcome in found]

    async def _outgoing(self, database: Database, verdicts: Sequence[Verdict]) -> list[Outgoing]:
        outgoing: list[Outgoing] = []
        for verdict in verdicts:
            record = verdict.record
            if verdict.result == "repeated":
                here = Span(JOURNAL, record.partition, record.offset, record.offset + 1)
                outgoing.extend(await self.unpublished(database, here))
            elif record.event is not None:
                tenant_id = record.event.tenant_id
                outgoing += [Outgoing(OUTCOMES, tenant_id, outcome) for outcome in verdict.outcomes]
        return outgoing


def journal_record(incoming: Incoming) -> JournalRecord:
    """What the fold is given of a record."""
    where = (incoming.partition, incoming.offset, incoming.timestamp)
    match incoming.content:
        case Event() as event:
            return JournalRecord(*where, event=event)
        case Failed() as failed:
            return JournalRecord(*where, event=failed.event, broken=True)
        case Unreadable() as unreadable:
            return JournalRecord(
                *where, event=None, unreadable=unreadable.why, key_tenant=_tenant_of(incoming.key)
            )


def _tenant_of(key: bytes | None) -> str:
    """The tenant that the key names, as far as one can be read from it."""
    if key is None or not 1 <= len(key) <= 64 or not all(0x21 <= byte <= 0x7E for byte in key):  # noqa: PLR2004
        return ""
    return key.decode()
