"""The resolver's tables: what a batch touches is loaded whole, folded in memory, and stored in a few statements.

All statements run in the batch's transaction, after its position rows were locked. Rows are sorted by key, so that
writers can't deadlock.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schemas.decisions import ItemIgnored, ItemImported, ItemLinked
from schemas.imports import ConnectionChanged, ImportStarted
from schemas.portal import ClientAdded, MemberRecorded, MemberRemoved
from services.resolver import rows
from services.resolver.domain.email import normalised
from services.resolver.domain.entities import Claim
from services.resolver.domain.fold import JournalRecord, Verdict
from services.resolver.domain.mentions import Key, Mentions
from services.resolver.domain.state import TenantState, World
from services.resolver.rows import Values
from worker import queries
from worker.projection import Database

QUERIES = queries.load("services.resolver", "queries.sql")
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
"""Copied rather than inserted: nothing can be in conflict, and a copy costs half as much on both sides."""


async def load(database: Database, records: Iterable[JournalRecord], swap: int) -> World:
    """Everything that folding these records may ask for."""
    mentions = Mentions()
    for record in records:
        if record.event is not None:
            mentions.note(record.event)
    world = World(swap)
    for row in await database.fetch(QUERIES.claims, *_columns(mentions.events)):
        claim = Claim(row["offset"], row["content"])
        world.tenant(row["tenant_id"]).claims[row["event_id"]] = claim
    await _load_clients(database, world, mentions)
    await _load_holders(database, world, mentions)
    for state in world.tenants.values():
        state.commit()
        state.settle()
    return world


async def save(database: Database, world: World, verdicts: Sequence[Verdict]) -> None:
    """Store what the fold changed, and what every record came to."""
    tenants = sorted(world.tenants.items())
    await drop(database, QUERIES.drop_links, ((t, *key) for t, s in tenants for key in _gone(s, "links")))
    await drop(database, QUERIES.drop_holders, ((t, key) for t, s in tenants for key in _gone(s, "holders")))
    await put(database, QUERIES.put_clients, _changed(tenants, "clients", rows.client_values))
    await put(database, QUERIES.put_members, _changed(tenants, "members", rows.member_values))
    await put(database, QUERIES.put_links, _changed(tenants, "links", rows.link_values))
    await put(database, QUERIES.put_items, _changed(tenants, "items", rows.item_values))
    await put(database, QUERIES.put_imports, _changed(tenants, "imports", rows.import_values))
    held = [
        rows.holder_values(tenant_id, email, state.holders[email])
        for tenant_id, state in tenants
        for email in sorted(state.changed["holders"])
        if email in state.holders
    ]
    await put(database, QUERIES.put_holders, held)
    decided = [row for verdict in verdicts for row in decision_rows(verdict)]
    await database.copy_records_to_table("decisions", records=decided, columns=DECISION_COLUMNS)


async def outcomes(database: Database, partition: int, since: int, until: int) -> list[tuple[str, bytes]]:
    """What was published of the records in [since, until): pairs of tenant and encoded outcome, in order."""
    found = await database.fetch(QUERIES.outcomes, partition, since, until)
    return [(row["tenant_id"], row["outcome"].encode()) for row in found]


async def touched_clients(database: Database, mentions: Mentions) -> set[Key]:
    """The clients that are named, themselves or by something of theirs: no others can change."""
    found = await database.fetch(
        QUERIES.touched_clients,
        *_columns(mentions.clients),
        *_columns(mentions.xpm_clients),
        *_columns(mentions.members),
        *_columns(mentions.items),
        *_columns(mentions.imports),
    )
    return {(row["tenant_id"], row["client_id"]) for row in found}


async def _load_clients(database: Database, world: World, mentions: Mentions) -> None:
    clients = await touched_clients(database, mentions)
    touched = _columns(clients)
    if clients:
        for row in await database.fetch(QUERIES.load_clients, *touched):
            world.tenant(row["tenant_id"]).put_client(rows.client(row))
        for row in await database.fetch(QUERIES.load_members, *touched):
            world.tenant(row["tenant_id"]).put_member(rows.member(row))
        for row in await database.fetch(QUERIES.load_links, *touched):
            world.tenant(row["tenant_id"]).put_link(rows.link(row))
        for row in await database.fetch(QUERIES.load_items, *touched):
            world.tenant(row["tenant_id"]).put_item(rows.item(row))
    if clients or mentions.imports:
        for row in await database.fetch(QUERIES.load_imports, *touched, *_columns(mentions.imports)):
            world.tenant(row["tenant_id"]).put_import(rows.import_(row))


async def _load_holders(database: Database, world: World, mentions: Mentions) -> None:
    """Of all e-mails only those that a record of this batch could take or free."""
    emails = set(mentions.emails)
    for tenant_id, state in world.tenants.items():
        own = [client.account_email for client in state.clients.values()]
        own += [
            member.details.get("email")
            for member in state.members.values()
            if member.co_owner or (tenant_id, member.member_id) in mentions.members
        ]
        own += [
            item.personal.get("email")
            for item in state.items.values()
            if (tenant_id, item.item_id) in mentions.imported_items
        ]
        emails.update((tenant_id, normalised(email)) for email in own if email is not None)
    if not emails:
        return
    for row in await database.fetch(QUERIES.load_holders, *_columns(emails)):
        world.tenant(row["tenant_id"]).hold_email(row["email"], rows.holder(row))


def _columns(keys: Iterable[Key]) -> tuple[list[str], list[str]]:
    ordered = sorted(keys)
    return [tenant_id for tenant_id, _ in ordered], [key for _, key in ordered]


def _gone(state: TenantState, table: str) -> list[Any]:
    rows_now = getattr(state, table)
    return sorted(key for key in state.changed[table] if key not in rows_now)


def _changed(tenants: Sequence[tuple[str, TenantState]], table: str, values: Any) -> list[Values]:
    return [
        values(tenant_id, getattr(state, table)[key])
        for tenant_id, state in tenants
        for key in sorted(state.changed[table])
        if key in getattr(state, table)
    ]


async def put(database: Database, query: str, values: Sequence[Values]) -> None:
    if values:
        await database.execute(query, *map(list, zip(*values, strict=True)))


async def drop(database: Database, query: str, keys: Iterable[Values]) -> None:
    await put(database, query, list(keys))


def decision_rows(verdict: Verdict) -> list[Values]:
    texts: list[str | None] = [outcome.decode() for outcome in verdict.outcomes] or [None]
    return [_decision(verdict, ordinal, text) for ordinal, text in enumerate(texts)]


def _decision(verdict: Verdict, ordinal: int, outcome: str | None) -> Values:
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
        outcome,
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
