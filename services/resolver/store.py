"""The resolver's tables: what a batch touches is loaded whole, to be folded in memory.

All statements run in the batch's transaction, after its position rows were locked.
"""

from collections.abc import Collection, Mapping, Sequence

from services.resolver import rows
from services.resolver.domain.email import normalised
from services.resolver.domain.entities import Claim
from services.resolver.domain.fold import JournalRecord
from services.resolver.domain.mentions import Key, Mentions
from services.resolver.domain.state import World
from services.resolver.rows import Row
from worker import queries
from worker.projection import Database

QUERIES = queries.load("services.resolver", "queries.sql")
Found = Mapping[str, Sequence[Row]]
"""What was looked up, by table."""
NAMES: Mapping[str, Sequence[str]] = {
    "claims": ("tenant_id", "event_id", "offset", "content"),
    "clients": (
        "tenant_id", "client_id", "xpm_client_id", "account_email", "details", "provenance", "details_from",
        "staged_from",
    ),
    "members": ("tenant_id", "member_id", "client_id", "co_owner", "removed", "details", "provenance"),
    "links": ("tenant_id", "client_id", "xpm_party_id", "member_id", "item_id", "details_from"),
    "items": (
        "tenant_id", "item_id", "client_id", "xpm_party_id", "import_id", "staged_from", "state", "reason", "personal",
        "relationship", "archived", "stub", "details_as_of", "in_xpm", "digest", "member_id", "attached_by",
        "decided_by", "decided_at", "ignored",
    ),
    "imports": (
        "tenant_id", "import_id", "client_id", "bulk_id", "requested_by", "requested_at", "started_from", "status",
        "waiting_until", "waiting_why", "reason", "message", "reviewed", "item_ids", "unstaged", "counts",
    ),
}  # fmt: skip
"""Of the columns in the rows of `load`, which Postgres gives none."""
AT_ONCE = 20
"""Of how many records at most everything is looked up in one statement: that of 1,000 would take twice the time."""


async def load(database: Database, records: Sequence[JournalRecord], swap: int) -> World:
    """Everything that folding these records may ask for."""
    mentions = Mentions()
    for record in records:
        if record.event is not None:
            mentions.note(record.event)
    world = World(swap)
    looked_up = _at_once if len(records) <= AT_ONCE else _table_by_table
    _put(world, await looked_up(database, mentions))
    await _load_holders(database, world, mentions)
    for state in world.tenants.values():
        state.commit()
        state.settle()
    return world


async def outcomes(database: Database, partition: int, since: int, until: int) -> list[tuple[str, bytes]]:
    """What was published of the records in [since, until): pairs of tenant and encoded outcome, in order."""
    found = await database.fetch(QUERIES.outcomes, partition, since, until)
    return [(row["tenant_id"], row["outcome"].encode()) for row in found]


async def touched_clients(database: Database, mentions: Mentions) -> set[Key]:
    """The clients that are named, themselves or by something of theirs: no others can change."""
    found = await database.fetch(QUERIES.touched_clients, *_named(mentions))
    return {(row["tenant_id"], row["client_id"]) for row in found}


async def _at_once(database: Database, mentions: Mentions) -> Found:
    """In one round trip. A few commands wait for round trips, not for rows."""
    found = await database.fetchrow(QUERIES.load, *_columns(mentions.events), *_named(mentions))
    assert found is not None
    return {
        table: [dict(zip(names, row, strict=True)) for row in found[table]] for table, names in NAMES.items()
    }


async def _table_by_table(database: Database, mentions: Mentions) -> Found:
    """Row by row as they come, while Postgres looks for the next ones."""
    claims = await database.fetch(QUERIES.claims, *_columns(mentions.events))
    touched = _columns(await touched_clients(database, mentions))
    named = _columns(mentions.imports)
    return {
        "claims": claims,
        "clients": await database.fetch(QUERIES.load_clients, *touched),
        "members": await database.fetch(QUERIES.load_members, *touched),
        "links": await database.fetch(QUERIES.load_links, *touched),
        "items": await database.fetch(QUERIES.load_items, *touched),
        "imports": await database.fetch(QUERIES.load_imports, *touched, *named),
    }


def _put(world: World, found: Found) -> None:
    for row in found["claims"]:
        claim = Claim(row["offset"], row["content"])
        world.tenant(row["tenant_id"]).claims[row["event_id"]] = claim
    for row in found["clients"]:
        world.tenant(row["tenant_id"]).put_client(rows.client(row))
    for row in found["members"]:
        world.tenant(row["tenant_id"]).put_member(rows.member(row))
    for row in found["links"]:
        world.tenant(row["tenant_id"]).put_link(rows.link(row))
    for row in found["items"]:
        world.tenant(row["tenant_id"]).put_item(rows.item(row))
    for row in found["imports"]:
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


def _named(mentions: Mentions) -> Sequence[Sequence[str]]:
    return (
        *_columns(mentions.clients),
        *_columns(mentions.xpm_clients),
        *_columns(mentions.members),
        *_columns(mentions.items),
        *_columns(mentions.imports),
    )


def _columns(keys: Collection[Key]) -> tuple[Sequence[str], Sequence[str]]:
    tenants, ids = zip(*sorted(keys), strict=True) if keys else ((), ())
    return tenants, ids
