"""The rows of integration progress as a fold of requests and outcomes: load, fold, store, tell."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import orjson

from schemas.codec import Event, envelope
from schemas.fields import timestamp
from schemas.ids import derived_id
from schemas.progress import IntegrationProgressed
from schemas.topics import OUTCOMES, PROGRESS, REQUESTS, Topic
from services.notifier import store
from services.notifier.domain.ledger import Changed, Ledger, Source, touched
from services.notifier.domain.rows import Row
from services.notifier.domain.snapshots import snapshot
from services.notifier.store import Telling
from worker.projection import Database, Effects
from worker.records import Incoming, Outgoing, Span

SOURCE = "/muster/notifier"


class NotifierProjection:
    """Folds requests and outcomes; what a request or an outcome changes is published as a snapshot of its row.

    A row that changes several times in a batch is told once, as it is in the end.
    """

    group = "notifier"
    topics: Sequence[Topic] = (REQUESTS, OUTCOMES)
    lanes = 1
    """A row is a fold of both topics."""
    at_once = 20
    """So few are looked up in one statement, and stored in another."""
    apart = 0.006
    """People look at what it tells, and a row that moves twice meanwhile is told once."""

    def __init__(self) -> None:
        self._days: set[date] = set()

    async def prepare(self, database: Database) -> None:
        await database.execute("SET ROLE muster_notifier")
        await database.execute("SET search_path TO notifier")

    async def check(self, database: Database) -> None:
        """Its tables are always the same ones."""

    async def apply(self, database: Database, batch: Sequence[Incoming]) -> Effects:
        inputs = [(each.content, source_of(each)) for each in batch if isinstance(each.content, Event)]
        keys = {key for event, _ in inputs for key in touched(event)}
        if not keys:
            return Effects()
        loaded = await store.load(database, keys)
        ledger = Ledger(loaded.rows, loaded.now)
        for event, source in inputs:
            ledger.read(event, source)
        changes = ledger.changes()
        await self._make_room(database, (store.day(each.row.requested_at) for each in changes))
        return _effects(changes, loaded.folds)

    async def unpublished(self, database: Database, span: Span) -> Sequence[Outgoing]:
        return [
            Outgoing(PROGRESS, tenant_id, event) for tenant_id, event in await store.snapshots(database, span)
        ]

    async def _make_room(self, database: Database, days: Iterable[date]) -> None:
        """Partitions are made ahead of time; this is for a broker whose clock is further ahead than that."""
        for day in set(days) - self._days:
            if not await store.add_partitions(database, day):
                self._days.add(day)  # one that this transaction made is there only if it commits


def _effects(changes: Sequence[Changed], folds: Mapping[str, int]) -> Effects:
    """The rows to be stored, and what is to be told of them, unless rows of a tenant were folded meanwhile."""
    rows: list[tuple[Row, bytes]] = []
    tellings: list[Telling] = []
    for row, cause in ((each.row, each.cause) for each in changes):
        shown = snapshot(row).model_dump(exclude_unset=True)
        rows.append((row, orjson.dumps(shown)))
        if cause:
            event = envelope(IntegrationProgressed.TYPE, shown, **_surroundings(row, cause))
            tellings.append(Telling(row, cause, event))
    outgoing = [Outgoing(PROGRESS, row.key.tenant_id, event) for row, _, event in tellings]
    return Effects(outgoing, rest=store.put_rows(rows, tellings), conditions=[store.unfolded(folds)])


def source_of(incoming: Incoming) -> Source:
    """Which input a readable record is."""
    assert isinstance(incoming.content, Event)
    return Source(
        incoming.topic.name, incoming.partition, incoming.offset, incoming.timestamp, incoming.content.id
    )


def _surroundings(row: Row, cause: Source) -> dict[str, str]:
    tenant_id, kind, row_id = row.key
    return {
        "id": derived_id(tenant_id, "progress", kind, row_id, cause.topic, cause.partition, cause.offset),
        "source": SOURCE,
        "time": timestamp(cause.at),
        "subject": row_id,
        "tenant_id": tenant_id,
        "causation_id": cause.event_id,
    }
