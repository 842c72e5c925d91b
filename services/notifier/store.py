"""The notifier's tables as the projection uses them: in the transaction of a batch, or around it for a few records.

Two processes may fold inputs of one tenant, one its requests and the other its outcomes; a row that neither has made
yet can't be locked, but the tenant can. Who locks nothing relies on how often the tenant's rows were folded so far.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from asyncpg import Record

from schemas.progress import IntegrationProgressed
from services.notifier.domain.ledger import Source
from services.notifier.domain.rows import Key, Row, Stamp
from services.notifier.domain.snapshots import row_of
from worker import queries
from worker.projection import Database, NeedsLocks
from worker.records import Span
from worker.statements import Condition, Statement

QUERIES = queries.load("services.notifier", "queries.sql")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class Telling(NamedTuple):
    """A row that readers see changed, the input that changed it, and the event that says so."""

    row: Row
    cause: Source
    event: bytes


class Loaded(NamedTuple):
    """Rows, how often those of each tenant were folded, and the database's clock (milliseconds since 1970)."""

    rows: list[Row]
    folds: Mapping[str, int]
    now: int


async def load(database: Database, keys: Collection[Key]) -> Loaded:
    """The rows under these keys that exist, and the bulks' rows that they belong to.

    In a transaction their tenants are locked until it ends. Otherwise it is up to `unfolded` that nothing has changed;
    raises `NeedsLocks` for a tenant that was never seen.
    """
    tenants = sorted({key.tenant_id for key in keys})
    if database.is_in_transaction():
        now, folds = await _lock(database, tenants)
        found = await _rows(database, keys)
    else:
        loaded = await database.fetchrow(QUERIES.load, *_columns(keys), tenants)
        assert loaded is not None
        now, folds, stored = loaded
        if len(folds) < len(tenants):
            raise NeedsLocks
        found = [_row(each) for each in stored]
    found += await _bulks_of(database, found, keys)
    return Loaded(found, dict(zip(tenants, folds, strict=True)), now)


async def rows(database: Database, keys: Collection[Key]) -> list[Row]:
    """The same rows, for who has the tables to itself."""
    found = await _rows(database, keys)
    return found + await _bulks_of(database, found, keys)


def unfolded(folds: Mapping[str, int]) -> Condition:
    """That nobody has folded rows of these tenants since they were loaded; from here on it is once more."""
    return Condition(Statement(QUERIES.count_folds, [list(folds), list(folds.values())]), len(folds))


async def add_partitions(database: Database, day: date) -> bool:
    """Make a day's partitions unless they are there, and say whether they were made."""
    made: bool = await database.fetchval(QUERIES.add_partitions, day)
    return made


async def drop_partitions(database: Database, over_by: datetime) -> int:
    """Drop the partitions of the days that were over by then, and say how many tables went."""
    dropped: int = await database.fetchval(QUERIES.drop_partitions, over_by)
    return dropped


def put_rows(rows: Sequence[tuple[Row, bytes]], tellings: Sequence[Telling] = ()) -> Sequence[Statement]:
    """To store rows, each with what readers see of it as JSON, in key order; and keep the events to be published."""
    if not rows:
        return ()
    ordered = sorted(rows, key=lambda each: each[0].key)
    columns = list(map(list, zip(*(_values(row, shown) for row, shown in ordered), strict=True)))
    if not tellings:
        return [Statement(QUERIES.put_rows, columns)]
    kept = map(list, zip(*map(_snapshot, tellings), strict=True))
    return [Statement(QUERIES.put_rows, columns), Statement(QUERIES.keep_snapshots, list(kept))]


async def snapshots(database: Database, span: Span) -> list[tuple[str, bytes]]:
    """The events kept for the inputs of a span: tenant and bytes."""
    found = await database.fetch(QUERIES.snapshots, span.topic.name, span.partition, span.since, span.until)
    return [(each["tenant_id"], each["event"].encode()) for each in found]


def instant(milliseconds: int) -> datetime:
    return EPOCH + milliseconds * MILLISECOND


def milliseconds_of(instant: datetime) -> int:
    return (instant - EPOCH) // MILLISECOND


def day(milliseconds: int) -> date:
    """The day, in UTC, whose partition a row belongs to."""
    return instant(milliseconds).date()


async def _lock(database: Database, tenants: Sequence[str]) -> tuple[int, Sequence[int]]:
    """Lock the tenants, seen before or not; the clock then, and how often rows of each were folded."""
    found = await database.fetchrow(QUERIES.lock_tenants, tenants)
    if found is None:
        await database.execute(QUERIES.add_tenants, tenants)
        found = await database.fetchrow(QUERIES.lock_tenants, tenants)
    assert found is not None
    return found["now"], found["folds"]


async def _rows(database: Database, keys: Iterable[Key]) -> list[Row]:
    return [_row(each) for each in await database.fetch(QUERIES.rows, *_columns(keys))]


async def _bulks_of(database: Database, rows: Sequence[Row], but: Collection[Key]) -> list[Row]:
    bulks = {Key(row.key.tenant_id, "bulk_import", row.bulk_id) for row in rows if row.bulk_id}
    return await _rows(database, bulks.difference(but)) if bulks.difference(but) else []


def _columns(keys: Iterable[Key]) -> list[list[str]]:
    ordered = sorted(keys)
    return [[key[field] for key in ordered] for field in range(len(Key._fields))]


def _row(record: Record) -> Row:
    tenant_id, offset, swap, request_seen, bulk_from, reviewable, shown = record
    return row_of(
        tenant_id,
        IntegrationProgressed.model_validate_json(shown),
        outcome=None if offset is None else Stamp(offset, swap),
        request_seen=request_seen,
        bulk_from=bulk_from and milliseconds_of(bulk_from),
        reviewable=reviewable,
    )


def _values(row: Row, shown: bytes) -> tuple[object, ...]:
    return (
        *row.key,
        instant(row.requested_at),
        row.status,
        row.client_id,
        row.outcome and row.outcome.offset,
        row.outcome and row.outcome.swap,
        row.request_seen,
        None if row.bulk_from is None else instant(row.bulk_from),
        row.reviewable,
        shown.decode(),
    )


def _snapshot(telling: Telling) -> tuple[object, ...]:
    row, cause, event = telling
    return (cause.topic, cause.partition, cause.offset, *row.key, instant(row.requested_at), event.decode())
