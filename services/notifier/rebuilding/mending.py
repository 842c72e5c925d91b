"""The rows that came out differently, put in their places; run in a transaction that holds the notifier's positions."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import orjson
from asyncpg import Record
from pydantic import ValidationError

from schemas.codec import envelope
from schemas.fields import timestamp
from schemas.ids import derived_id
from schemas.progress import IntegrationProgressed
from services.notifier import store
from services.notifier.domain.rows import Key, Row
from services.notifier.domain.snapshots import snapshot
from services.notifier.projection import SOURCE
from worker import queries
from worker.database import Database
from worker.statements import execute_together

QUERIES = queries.load("services.notifier.rebuilding", "rebuilding.sql")
AT_ONCE = 1_000
LIVE, BESIDE = "SET LOCAL search_path TO notifier", "SET LOCAL search_path TO notifier_beside"
NO_DIFFERENCE = frozenset({"shown.version", "bulk_from"})
"""When a change was told, and which row of a bulk counts an import."""
NEVER_WAS = "Nothing to do: this was shown by mistake."


async def mend(database: Database) -> int:
    """Replace every row that differs, and store what is to be told; how many rows that were.

    A row that follows from nothing is taken away, and told as over: readers that keep the highest version lose it.
    """
    now: int = await database.fetchval(store.QUERIES.now)
    last: tuple[str | None, str, str] = (None, "", "")
    mended = 0
    while some := await database.fetch(QUERIES.next, *last, AT_ONCE):
        await _mend(database, some, now)
        last = some[-1]["tenant_id"], some[-1]["kind"], some[-1]["row_id"]
        mended += len(some)
    return mended


async def _mend(database: Database, some: Sequence[Record], now: int) -> None:
    keys = [Key(each["tenant_id"], each["kind"], each["row_id"]) for each in some]
    there = {row.key: row for row in await store.rows(database, keys)}
    rows = [
        (_as_it_follows(there[key], each["version"], each["requested_at"], now), each["told"])
        for key, each in zip(keys, some, strict=True)
        if key in there
    ]
    await database.execute(QUERIES.count_folds, sorted({key.tenant_id for key in keys}))
    await database.execute(QUERIES.take_away, *map(list, zip(*keys, strict=True)))
    await database.execute(LIVE)
    for day in {store.day(row.requested_at) for row, _ in rows}:
        await store.add_partitions(database, day)
    shown = [(row, orjson.dumps(snapshot(row).model_dump(exclude_unset=True))) for row, _ in rows]
    await execute_together(database, store.put_rows(shown))
    await _join_bulks(database, [row for row, _ in rows])
    await database.execute(BESIDE)
    told = [(row.key, snapshot(row)) for row, is_told in rows if is_told]
    told += [
        (key, over)
        for key, each in zip(keys, some, strict=True)
        if key not in there and (over := _over(each, now)) is not None
    ]
    await database.execute(
        QUERIES.tell,
        [key.tenant_id for key, _ in told],
        [_event(key, shown, now).decode() for key, shown in told],
    )


def _as_it_follows(row: Row, version: int | None, requested_at: datetime | None, now: int) -> Row:
    """With a version that is higher than any that was told; a bulk keeps its date, by which its imports name it."""
    row = replace(row, version=_higher(version, now))
    if row.key.kind == "bulk_import" and requested_at is not None:
        return replace(row, requested_at=store.milliseconds_of(requested_at))
    return row


def _over(each: Record, now: int) -> IntegrationProgressed | None:
    """What readers are told last of a row that is taken away; None where nobody could ever read it."""
    try:
        shown = IntegrationProgressed.model_validate_json(each["shown"])
    except ValidationError:
        return None
    return shown.model_copy(
        update={
            "kind": each["kind"],
            "row_id": each["row_id"],
            "version": _higher(each["version"], now),
            "status": "failed",
            "reason": "undone_by_replay",
            "message": None,
            "what_to_do": NEVER_WAS,
            "waiting": None,
            "to_review": False,
            "visible_until": timestamp(now),
        }
    )


def _higher(version: int | None, now: int) -> int:
    """A version above any that was told."""
    return max((version or 0) + 1, now)


async def _join_bulks(database: Database, rows: Sequence[Row]) -> None:
    """Imports of the rows' bulks, mended or not, count in the row of the bulk that is there."""
    bulks = {Key(row.key.tenant_id, "bulk_import", row.bulk_id) for row in rows if row.bulk_id}
    found = [row for row in await store.rows(database, bulks) if row.key in bulks]
    if found:
        await database.execute(
            QUERIES.join_bulks,
            [row.key.tenant_id for row in found],
            [row.key.row_id for row in found],
            [store.instant(row.requested_at) for row in found],
        )


def _event(key: Key, shown: IntegrationProgressed, now: int) -> bytes:
    tenant_id, kind, row_id = key
    return envelope(
        IntegrationProgressed.TYPE,
        shown.model_dump(exclude_unset=True, exclude_none=True),
        id=derived_id(tenant_id, "progress mended", kind, row_id, shown.version),
        source=SOURCE,
        time=timestamp(now),
        subject=row_id,
        tenant_id=tenant_id,
    )
