"""Storing what a fold changed: many new rows are copied, the others are put or taken away, a statement per table.

What a few records came to is stored in one statement for all tables: no row is put and taken away in it.

All statements run in one transaction with the position that tells of them. Rows are sorted by key, so that writers
can't deadlock.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from schemas.decisions import ItemIgnored, ItemImported, ItemLinked
from schemas.imports import ConnectionChanged, ImportStarted
from schemas.portal import ClientAdded, MemberRecorded, MemberRemoved
from services.resolver import rows
from services.resolver.domain.fold import JournalRecord, Verdict, judge
from services.resolver.domain.state import TenantState, World
from services.resolver.rows import Values
from worker import queries
from worker.projection import Database
from worker.statements import Statement, execute_together

QUERIES = queries.load("services.resolver", "queries.sql")
COPIED_FROM = 20
"""A copy costs half as much a row on both sides, and a statement more."""


class Kind(NamedTuple):
    """A table of entities: what its rows are in memory, their columns, and the statements that put and drop rows.

    `written` says of some columns how they are written, where that is not as they are in memory.
    """

    held: str
    table: str
    columns: Sequence[str]
    values: Callable[[str, Any, Any], Values]
    put: str
    drop: str = ""
    written: Mapping[str, Callable[[Any], Any]] = {}


class Changes(NamedTuple):
    """What became of a table's entities: rows to be put, of which `new` ones were not there, and the keys of others."""

    kind: Kind
    new: list[Values]
    changed: list[Values]
    gone: list[Values]


KINDS: Sequence[Kind] = (
    Kind(
        "links",
        "links",
        ("tenant_id", "client_id", "xpm_party_id", "member_id", "item_id", "details_from"),
        rows.values,
        QUERIES.put_links,
        QUERIES.drop_links,
    ),
    Kind(
        "holders",
        "co_owner_emails",
        ("tenant_id", "email", "client_id", "member_id"),
        rows.holder_values,
        QUERIES.put_holders,
        QUERIES.drop_holders,
    ),
    Kind(
        "clients",
        "clients",
        (
            "tenant_id", "client_id", "xpm_client_id", "account_email", "details", "provenance", "details_from",
            "staged_from",
        ),
        rows.values,
        QUERIES.put_clients,
        written={"details": rows.json, "provenance": rows.json},
    ),
    Kind(
        "members",
        "members",
        ("tenant_id", "member_id", "client_id", "co_owner", "removed", "details", "provenance", "digest"),
        rows.member_values,
        QUERIES.put_members,
        written={"details": rows.json, "provenance": rows.json},
    ),
    Kind(
        "items",
        "items",
        (
            "tenant_id", "item_id", "client_id", "xpm_party_id", "import_id", "staged_from", "personal",
            "relationship", "archived", "stub", "details_as_of", "digest", "state", "reason", "in_xpm", "member_id",
            "attached_by", "decided_by", "decided_at", "ignored",
        ),
        rows.values,
        QUERIES.put_items,
        written={
            "personal": rows.json,
            "relationship": rows.json,
            "details_as_of": rows.moment,
            "decided_at": rows.moment,
            "ignored": rows.json,
        },
    ),
    Kind(
        "imports",
        "imports",
        (
            "tenant_id", "import_id", "client_id", "requested_by", "requested_at", "started_from", "bulk_id",
            "status", "waiting_until", "waiting_why", "reason", "message", "reviewed", "item_ids", "unstaged",
            "counts",
        ),
        rows.values,
        QUERIES.put_imports,
        written={
            "requested_at": rows.moment,
            "waiting_until": rows.moment,
            "item_ids": rows.sorted_json,
            "counts": rows.json,
        },
    ),
)  # fmt: skip
DECISION_COLUMNS = (
    "tenant_id",
    "partition",
    "offset",
    "ordinal",
    "at",
    "result",
    "reason",
    "claims_id",
    "event_id",
    "event_type",
    "content",
    "decided_by",
    "client_id",
    "import_id",
    "item_id",
    "member_id",
    "first_offset",
    "before",
    "outcome",
)


def fold(world: World, records: Iterable[JournalRecord]) -> tuple[list[Verdict], list[Values]]:
    """What the records come to, and the rows of `decisions` that say so, made while a record is in the CPU's cache."""
    verdicts: list[Verdict] = []
    decisions: list[Values] = []
    for record in records:
        verdict = judge(world, record)
        verdicts.append(verdict)
        for ordinal, outcome in enumerate(verdict.outcomes or (None,)):
            decisions.append(_decision(verdict, ordinal, outcome))
    return verdicts, decisions


async def save(database: Database, world: World, decisions: Sequence[Values]) -> None:
    """Store what changed since the states were settled, and what every record came to. Run in a transaction."""
    if are_few(decisions):
        await execute_together(database, statements(world, decisions))
    else:
        await _save_by_table(database, world, decisions)


def are_few(decisions: Sequence[Values]) -> bool:
    """Whether one statement stores what these came to sooner than copies do."""
    return 0 < len(decisions) < COPIED_FROM


def statements(world: World, decisions: Sequence[Values]) -> Sequence[Statement]:
    """What stores the same in one statement together, for a few records."""
    changes = _all_changes(world)
    drops = [
        Statement(kind.drop, list(map(list, zip(*gone, strict=True)))) for kind, _, _, gone in changes if gone
    ]
    puts = [
        Statement(kind.put, _columns(kind, changed + new))
        for kind, new, changed, _ in changes
        if new or changed
    ]
    kept = Statement(QUERIES.put_decisions, list(map(list, zip(*decisions, strict=True))))
    return [*drops, *puts, kept]


async def _save_by_table(database: Database, world: World, decisions: Sequence[Values]) -> None:
    """The same for many records, a statement or two per table."""
    changes = _all_changes(world)
    for kind, _, _, gone in changes:
        if gone:
            await database.execute(kind.drop, *map(list, zip(*gone, strict=True)))
    for kind, new, changed, _ in changes:
        put = changed if len(new) >= COPIED_FROM else changed + new
        if put:
            await database.execute(kind.put, *_columns(kind, put))
        if len(new) >= COPIED_FROM:
            records = zip(*_columns(kind, new), strict=True)
            await database.copy_records_to_table(kind.table, records=records, columns=kind.columns)
    await database.copy_records_to_table("decisions", records=decisions, columns=DECISION_COLUMNS)


def _all_changes(world: World) -> Sequence[Changes]:
    tenants = [
        (tenant_id, state)
        for tenant_id, state in sorted(world.tenants.items())
        if any(state.changed.values())
    ]
    return [_changes(kind, tenants) for kind in KINDS]


def _changes(kind: Kind, tenants: Sequence[tuple[str, TenantState]]) -> Changes:
    changes = Changes(kind, [], [], [])
    for tenant_id, state in tenants:
        touched = state.changed[kind.held]
        held: Mapping[Any, Any] = getattr(state, kind.held)
        for key in sorted(touched):
            entity = held.get(key)
            if entity is not None:
                (changes.changed if touched[key] else changes.new).append(kind.values(tenant_id, key, entity))
            elif touched[key]:
                changes.gone.append((tenant_id, *key) if isinstance(key, tuple) else (tenant_id, key))
    return changes


def _columns(kind: Kind, some: Sequence[Values]) -> list[list[Any]]:
    """The rows' columns, as they are written: a column at a time takes a fraction of a row at a time."""
    columns = zip(*some, strict=True)
    return [
        [write(value) for value in column] if (write := kind.written.get(name)) else list(column)
        for name, column in zip(kind.columns, columns, strict=True)
    ]


def _decision(verdict: Verdict, ordinal: int, outcome: bytes | None) -> Values:
    record, event = verdict.record, verdict.record.event
    named = vars(event.data) if event else {}
    first = ordinal == 0
    return (
        event.tenant_id if event else record.key_tenant,
        record.partition,
        record.offset,
        ordinal,
        rows.moment(record.at),
        verdict.result,
        verdict.reason,
        verdict.claims_id and first,
        event.id if event else None,
        event.type if event else None,
        event.content if event else None,
        named.get(_WHO_DECIDED.get(type(event.data), "")) if event else None,
        verdict.client_id,
        named.get("import_id"),
        named.get("item_id"),
        named.get("member_id"),
        verdict.first_offset,
        rows.json(verdict.before) if first else None,
        outcome.decode() if outcome is not None else None,
    )


_WHO_DECIDED: Mapping[type, str] = {
    ClientAdded: "added_by",
    MemberRecorded: "recorded_by",
    MemberRemoved: "removed_by",
    ConnectionChanged: "changed_by",
    ImportStarted: "requested_by",
    ItemImported: "decided_by",
    ItemIgnored: "decided_by",
    ItemLinked: "decided_by",
}
"""In which field of an event its author stands."""
