"""Reading a story: from the tables of the live generation, and from the topic, record by record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from aiokafka import TopicPartition

from ops.broker import Broker
from ops.ending import Misused, Refused
from ops.groups import IMPORTER, tables_of
from ops.times import milliseconds
from schemas.topics import JOURNAL, REQUESTS
from worker import queries
from worker.database import Database
from worker.routing import partition_of
from worker.settings import Settings

QUERIES = queries.load("ops.story", "queries.sql")

READ_THROUGH = 500
"""Offsets that are read over rather than sought across."""
LOOK_FOR_REQUEST = 5000
SCAN_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Entry:
    """A record of the journal and what it came to. `event` is the document on the topic, None where it is none."""

    partition: int
    offset: int
    at: datetime
    result: str
    reason: str | None
    event_id: str | None
    event_type: str | None
    decided_by: str | None
    client_id: str | None
    import_id: str | None
    item_id: str | None
    member_id: str | None
    first_offset: int | None
    outcomes: Sequence[Mapping[str, Any]]
    event: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """An import as the importer knows it, and where its request is on the topic, if it still is."""

    import_id: str
    client_id: str
    xpm_client_id: str | None
    requested_by: str
    requested_at: datetime
    status: str
    waits: int
    ready_at: datetime
    trouble_since: datetime | None
    partition: int | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """Who it is about, as what, and all that happened; `total` counts what a limit has left out too."""

    tenant_id: str
    id: str
    kinds: Sequence[str]
    request: Request | None
    entries: Sequence[Entry]
    total: int


async def tenant_of(database: Database, one: str, tenant_id: str | None) -> str:
    """The tenant that the id belongs to. Raises `Refused` for none, `Misused` for several."""
    if tenant_id is not None:
        return tenant_id
    rows = await database.fetch(QUERIES.tenants_of, one, timeout=SCAN_SECONDS)
    tenants = [row["tenant_id"] for row in rows]
    if one in tenants:
        return one
    if not tenants:
        raise Refused(
            f"Nothing in the journal has the id {one}. A request that the importer has not taken up yet, or a record "
            "that could not be read, is not there: see `muster lag` and `muster dead-letters list`."
        )
    if len(tenants) > 1:
        raise Misused(f"Several tenants know {one}: {', '.join(tenants)}. Say which one with --tenant.")
    return str(tenants[0])


async def story_of(
    settings: Settings, broker: Broker, database: Database, one: str, tenant_id: str, limit: int
) -> Story:
    """The whole story, oldest first; of a long one the end. Raises `Refused` where there is none."""
    partition = partition_of(tenant_id.encode(), settings.journal_partitions)
    about = None if one == tenant_id else one
    rows = await database.fetch(QUERIES.entries, partition, tenant_id, about, limit, timeout=SCAN_SECONDS)
    kinds = ["tenant"] if about is None else await _kinds(database, partition, tenant_id, one)
    request = await _request(settings, broker, tenant_id, one) if about is not None else None
    if not rows and request is None:
        raise Refused(f"The tenant {tenant_id} has nothing in the journal under {one}.")
    entries = await _with_events(settings, broker, [_entry(row) for row in rows])
    return Story(tenant_id, one, kinds or ["import"], request, entries, rows[0]["total"] if rows else 0)


async def _kinds(database: Database, partition: int, tenant_id: str, one: str) -> list[str]:
    row = await database.fetchrow(QUERIES.kinds, partition, tenant_id, one, timeout=SCAN_SECONDS)
    return [name for name, found in (row or {}).items() if found]


async def _request(settings: Settings, broker: Broker, tenant_id: str, import_id: str) -> Request | None:
    async with tables_of(settings, IMPORTER) as database:
        row = await database.fetchrow(QUERIES.request, tenant_id, import_id)
    if row is None:
        return None
    request = Request(**row)
    name = settings.topic_name(REQUESTS)
    count = (await broker.partitions()).get(name, 0)
    if not count:
        return request
    place = TopicPartition(name, partition_of(tenant_id.encode(), count))
    since = (await broker.at([place], milliseconds(request.requested_at)))[place]
    until = min((await broker.ends([place]))[place], since + LOOK_FOR_REQUEST)
    async for records in broker.read({place: since}, {place: until}):
        for record in records:
            if _names(record.value, import_id):
                return replace(request, partition=record.partition, offset=record.offset)
    return request


async def _with_events(settings: Settings, broker: Broker, entries: Sequence[Entry]) -> list[Entry]:
    """Read the records from the topic; near ones are read in one go."""
    found: dict[int, Any] = {}
    for first, last in _runs([entry.offset for entry in entries]):
        place = TopicPartition(settings.topic_name(JOURNAL), entries[0].partition)
        wanted = {entry.offset for entry in entries}
        async for records in broker.read({place: first}, {place: last + 1}):
            found |= {record.offset: record.value for record in records if record.offset in wanted}
    return [replace(entry, event=_document(found.get(entry.offset))) for entry in entries]


def _runs(offsets: Sequence[int]) -> list[tuple[int, int]]:
    """The stretches of the log to be read for these offsets, which are in order."""
    runs: list[tuple[int, int]] = []
    for offset in offsets:
        if runs and offset - runs[-1][1] <= READ_THROUGH:
            runs[-1] = runs[-1][0], offset
        else:
            runs.append((offset, offset))
    return runs


def _entry(row: Any) -> Entry:
    told = {name: value for name, value in row.items() if name != "total"}
    told["outcomes"] = [orjson.loads(text)["data"] for text in told["outcomes"] or ()]
    return Entry(**told)


def _names(value: bytes | None, event_id: str) -> bool:
    document = _document(value)
    return document is not None and document.get("id") == event_id


def _document(value: bytes | None) -> Mapping[str, Any] | None:
    try:
        found = orjson.loads(value) if value else None
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None
