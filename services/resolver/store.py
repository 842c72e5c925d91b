"""The resolver's tables: what a batch touches is loaded whole, to be folded in memory.

All statements run in the batch's transaction, after its position rows were locked.
"""

from collections.abc import Collection, Iterable, Sequence

from services.resolver import rows
from services.resolver.domain.email import normalised
from services.resolver.domain.entities import Claim
from services.resolver.domain.fold import JournalRecord
from services.resolver.domain.mentions import Key, Mentions
from services.resolver.domain.state import World
from worker import queries
from worker.projection import Database

QUERIES = queries.load("services.resolver", "queries.sql")


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


def _columns(keys: Collection[Key]) -> tuple[Sequence[str], Sequence[str]]:
    tenants, ids = zip(*sorted(keys), strict=True) if keys else ((), ())
    return tenants, ids
