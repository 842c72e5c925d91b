"""The notifier's tables as the projection uses them, inside the transaction of a batch."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from asyncpg import Record

from schemas.progress import IntegrationProgressed
from services.notifier.domain.ledger import Source
from services.notifier.domain.rows import Key, Row, Stamp
from services.notifier.domain.snapshots import row_of
from worker import queries
from worker.projection import Database
from worker.records import Span
from worker.statements import Statement

QUERIES = queries.load("services.notifier", "queries.sql")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class Telling(NamedTuple):
    """A row that readers see changed, the input that changed it, and the event that says so."""

    row: Row
    cause: Source
    event: bytes


async def lock(database: Database, tenants: Iterable[str]) -> int:
    """Lock the tenants until the transaction ends, and return the database's clock (milliseconds since 1970).

    Two processes may fold inputs of one tenant, one its requests and the other its outcomes; a row that neither has
    made yet can't be locked, but the tenant can.
    """
    ordered = sorted(tenants)
    now: int | None = await database.fetchval(QUERIES.lock_tenants, ordered)
    if now is None:
        await database.execute(QUERIES.add_tenants, ordered)
        now = await database.fetchval(QUERIES.lock_tenants, ordered)
    assert now is not None
    return now


async def rows(database: Database, keys: Iterable[Key]) -> list[Row]:
    """The rows under these keys that exist, and the bulks' rows that they belong to."""
    wanted = set(keys)
    found = await _rows(database, wanted)
    bulks = {Key(row.key.tenant_id, "bulk_import", row.bulk_id) for row in found if row.bulk_id}
    return found + (await _rows(database, bulks - wanted) if bulks - wanted else [])


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


async def _rows(database: Database, keys: Iterable[Key]) -> list[Row]:
    ordered = sorted(keys)
    columns = ([key[field] for key in ordered] for field in range(len(Key._fields)))
    return [_row(each) for each in await database.fetch(QUERIES.rows, *columns)]


def _row(record: Record) -> Row:
    offset = record["outcome_offset"]
    return row_of(
        record["tenant_id"],
        IntegrationProgressed.model_validate_json(record["shown"]),
        outcome=None if offset is None else Stamp(offset, record["outcome_swap"]),
        request_seen=record["request_seen"],
        bulk_from=record["bulk_from"] and milliseconds_of(record["bulk_from"]),
        reviewable=record["reviewable"],
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
