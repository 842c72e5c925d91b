"""Tables that are full already, and a journal that goes on with what is in them.

The rows are the resolver's own in number and keys: clients with 24 pending items, their import, and what each staging
came to. They are made inside Postgres, the indexes afterwards.
"""

import random
from collections.abc import Iterator
from hashlib import md5
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks.journal import AT, journal
from schemas.codec import encode
from schemas.decisions import ItemIgnored, ItemImported, SeenItem
from schemas.envelope import EventData
from schemas.ids import derived_id
from schemas.imports import ImportStaged, ImportStarted, ItemStaged, LeftOut, Relationship
from schemas.people import PersonDetails
from schemas.seen import item_digest
from worker import queries

STATEMENTS = queries.parse("grown.sql", Path(__file__).with_name("grown.sql").read_text(encoding="utf-8"))
ITEMS_OF_A_CLIENT = 24
TENANTS = 500
OF_THE_PRESENT = 0.4
"""Of the records that go on: decisions on present items, and some imports that stage them again."""
STAGED_AGAIN = 0.1
"""Of those."""
PERSON = PersonDetails(
    name="Person 123456",
    email="person123456.7@example.com",
    phone="0491 570 110",
    date_of_birth="1978-04-09",
    address="7 Wattle Parade\nFernleigh NSW 2999\nAustralia",
)
TIE = Relationship(type="Director", start_date="2015-07-01")
DIGEST = item_digest(
    PERSON.model_dump(exclude_none=True), TIE.model_dump(exclude_none=True), archived=False, stub=False
)


async def preload(database: Any, items: int) -> None:
    """Fill the live generation's tables, which must be empty, with so many items and what belongs to them."""
    await database.execute("SET search_path TO resolver_g1")
    await database.execute(STATEMENTS.settings)
    clients = items // ITEMS_OF_A_CLIENT
    dropped = await database.fetch(STATEMENTS.secondary_indexes)
    for index in dropped:
        await database.execute(index["dropping"])
    await database.execute(STATEMENTS.fill_clients, clients, TENANTS)
    await database.execute(STATEMENTS.fill_imports, clients, TENANTS, ITEMS_OF_A_CLIENT)
    personal, tie = PERSON.model_dump_json(exclude_none=True), TIE.model_dump_json(exclude_none=True)
    await database.execute(STATEMENTS.fill_items, clients, TENANTS, ITEMS_OF_A_CLIENT, personal, tie, DIGEST)
    await database.execute(STATEMENTS.fill_decisions, clients, TENANTS, ITEMS_OF_A_CLIENT)
    for index in dropped:
        await database.execute(index["making"])
    await database.execute("VACUUM (ANALYZE)")
    await database.execute("CHECKPOINT")


async def size(database: Any) -> dict[str, int]:
    """How many items there are about, and how many bytes the tables have with their indexes."""
    return dict(await database.fetchrow(STATEMENTS.size))


def going_on(records: int, items: int, seed: int = 11) -> Iterator[tuple[str, bytes]]:
    """New imports, decisions on items that are there, and imports of clients that are there, all mixed."""
    chance = random.Random(seed)
    clients = items // ITEMS_OF_A_CLIENT
    fresh = journal(records, TENANTS, decided_after=records, seed=seed)
    untouched = iter(chance.sample(range(clients), min(clients, records // 10)))
    number = 0
    while number < records:
        client = next(untouched, None) if chance.random() < OF_THE_PRESENT else None
        if client is None:
            yield next(fresh)
            number += 1
            continue
        events = _again(client) if chance.random() < STAGED_AGAIN / 3 else _decided(client, chance)
        for event in events:
            yield f"tenant-{client % TENANTS}", event
            number += 1


def _id(what: str, number: int) -> str:
    """The id that the SQL gives to the same thing."""
    return str(UUID(md5(f"{what} {number}".encode(), usedforsecurity=False).hexdigest()))


def _decided(client: int, chance: random.Random) -> Iterator[bytes]:
    for number in range(client * ITEMS_OF_A_CLIENT, client * ITEMS_OF_A_CLIENT + 8):
        item_id = _id("item", number)
        decision: EventData = ItemIgnored(item_id=item_id, decided_by="bench")
        if chance.random() < 2 / 3:
            decision = ItemImported(item_id=item_id, decided_by="bench", seen=SeenItem(item=DIGEST))
        yield _event(client, decision, f"items/{item_id}")


def _again(client: int) -> Iterator[bytes]:
    whose = {"import_id": _id("again", client), "client_id": _id("client", client), "requested_at": AT}
    xpm = f"xpm-of-{client}"
    about = f"imports/{whose['import_id']}"
    yield _event(client, ImportStarted(**whose, xpm_client_id=xpm, requested_by="bench"), about)
    ids = []
    for number in range(client * ITEMS_OF_A_CLIENT, (client + 1) * ITEMS_OF_A_CLIENT):
        item = ItemStaged(
            **whose,
            item_id=_id("item", number),
            xpm_client_id=xpm,
            xpm_party_id=_id("party", number),
            relationship=TIE,
            personal=PERSON,
        )
        ids.append(item.item_id)
        yield _event(client, item, f"items/{item.item_id}")
    done = ImportStaged(**whose, xpm_client_id=xpm, item_ids=ids, left_out=LeftOut())
    yield _event(client, done, about)


def _event(client: int, data: EventData, subject: str) -> bytes:
    tenant = f"tenant-{client % TENANTS}"
    event_id = derived_id(tenant, "grown", data.TYPE, subject)
    return encode(data, id=event_id, source="/bench", time=AT, subject=subject, tenant_id=tenant)
