"""The resolver's tables: what a batch touches is loaded whole, to be folded in memory.

All statements run in the batch's transaction, after its position rows were locked; or, for a few records, before a
statement that stores what came of them only if their positions have not moved since: a tenant's rows change with them.
"""

from collections.abc import Collection, Mapping, Sequence

from asyncpg import Record

from services.resolver import generations, rows
from services.resolver.domain.entities import Claim
from services.resolver.domain.fold import JournalRecord
from services.resolver.domain.mentions import Key, Mentions
from services.resolver.domain.state import World
from services.resolver.generations import Generation
from services.resolver.rows import Row
from worker import queries
from worker.projection import Database

QUERIES = queries.load("services.resolver", "queries.sql")
AT_ONCE = 20
"""Of how many records at most everything is looked up in one statement: that of 1,000 would take twice the time."""


async def load(
    database: Database, records: Sequence[JournalRecord], swap: int, live: Generation | None = None
) -> World:
    """Everything that folding these records may ask for.

    Raises `StandBy` and `Rewind` where `live` is given and is not the live generation any more.
    """
    mentions = Mentions()
    for record in records:
        if record.event is not None:
            mentions.note(record.event)
    world = World(swap)
    asked: dict[str, Collection[str]] = {}
    if len(records) <= AT_ONCE:
        row = await _at_once(database, mentions)
        if live is not None:
            generations.compare(row["live"], live)
        _put(world, row)
        _hold(world, row["holders"])
        asked = {tenant_id: frozenset(named.emails) for tenant_id, named in mentions.of.items()}
    else:
        if live is not None:
            await generations.check(database, live)
        _put(world, await _table_by_table(database, mentions))
    await _load_holders(database, world, mentions, asked)
    for state in world.tenants.values():
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


async def _at_once(database: Database, mentions: Mentions) -> Record:
    """In one round trip. A few commands wait for round trips, not for rows."""
    found = await database.fetchrow(
        QUERIES.load, *mentions.columns("events"), *_named(mentions), *mentions.columns("emails")
    )
    assert found is not None
    return found


async def _table_by_table(database: Database, mentions: Mentions) -> Mapping[str, Sequence[Row]]:
    """Row by row as they come, while Postgres looks for the next ones."""
    claims = await database.fetch(QUERIES.claims, *mentions.columns("events"))
    touched = _columns(await touched_clients(database, mentions))
    return {
        "claims": claims,
        "clients": await database.fetch(QUERIES.load_clients, *touched),
        "members": await database.fetch(QUERIES.load_members, *touched),
        "links": await database.fetch(QUERIES.load_links, *touched),
        "items": await database.fetch(QUERIES.load_items, *touched),
        "imports": await database.fetch(QUERIES.load_imports, *touched, *mentions.columns("imports")),
    }


def _put(world: World, found: Record | Mapping[str, Sequence[Row]]) -> None:
    """Take in what was looked up, by table."""
    for tenant_id, event_id, offset, content in found["claims"]:
        world.tenant(tenant_id).claims[event_id] = Claim(offset, content)
    for row in found["clients"]:
        world.tenant(row[0]).put_client(rows.client(row))
    for row in found["members"]:
        world.tenant(row[0]).put_member(rows.member(row))
    for row in found["links"]:
        world.tenant(row[0]).put_link(rows.link(row))
    for row in found["items"]:
        world.tenant(row[0]).put_item(rows.item(row))
    for row in found["imports"]:
        world.tenant(row[0]).put_import(rows.import_(row))


async def _load_holders(
    database: Database, world: World, mentions: Mentions, asked: Mapping[str, Collection[str]]
) -> None:
    """Of all e-mails only those that a record of this batch could take or free, without those `asked` for already."""
    for tenant_id, named in mentions.of.items():
        state = world.tenant(tenant_id)
        own = [client.account_email for client in state.clients.values()]
        own += [
            member.details.get("email")
            for member in state.members.values()
            if member.co_owner or member.member_id in named.members
        ]
        own += [
            item.personal.get("email")
            for item_id in named.decided_items
            if (item := state.items.get(item_id)) is not None
        ]
        if named.makes_co_owner:
            own += named.staged_emails
        for email in own:
            named.email(email)
        named.emails.difference_update(asked.get(tenant_id, ()))
    tenants, emails = mentions.columns("emails")
    if emails:
        _hold(world, await database.fetch(QUERIES.load_holders, tenants, emails))


def _hold(world: World, found: Sequence[Row]) -> None:
    for row in found:
        world.tenant(row[0]).hold_email(row[1], rows.holder(row))


def _named(mentions: Mentions) -> Sequence[Sequence[str]]:
    """The columns by which touched clients are found."""
    kinds = ("clients", "xpm_clients", "members", "items", "imports")
    return [column for kind in kinds for column in mentions.columns(kind)]


def _columns(keys: Collection[Key]) -> tuple[Sequence[str], Sequence[str]]:
    tenants, ids = zip(*sorted(keys), strict=True) if keys else ((), ())
    return tenants, ids
