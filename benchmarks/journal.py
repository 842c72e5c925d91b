"""A journal of any length from a seed: many tenants, first-time and repeated stagings, decisions long after them.

Per hundred records of a tenant: sixty stagings, thirty decisions and ten others. Every event is made independently of
the resolver; the decisions carry digests of what was staged.
"""

import random
from collections import deque
from collections.abc import Iterator

from schemas.codec import encode
from schemas.decisions import ItemIgnored, ItemImported, SeenItem
from schemas.envelope import EventData
from schemas.ids import derived_id
from schemas.imports import ImportStaged, ImportStarted, ItemStaged, LeftOut, Relationship
from schemas.people import AmendedClient, PersonDetails
from schemas.portal import ClientAdded
from schemas.seen import item_digest

AT = "2026-01-01T00:00:00.000Z"
ITEMS_OF_A_CLIENT = 12
DECIDED_OF_A_CLIENT = 6
RESTAGED = 0.05
WORDS = ("Director", "Shareholder", "Trustee", "Beneficiary", "Secretary")


def journal(records: int, tenants: int, decided_after: int, seed: int = 7) -> Iterator[tuple[str, bytes]]:
    """Pairs of tenant and encoded event. A decision comes at least `decided_after` records after its staging."""
    chance = random.Random(seed)
    decisions: deque[tuple[int, str, bytes]] = deque()
    number = 0
    client = 0
    while number < records:
        tenant = f"tenant-{chance.randrange(tenants)}"
        client += 1
        for event in _import(tenant, client, chance, decisions, number + decided_after):
            yield tenant, event
            number += 1
        while decisions and decisions[0][0] <= number:
            _, owner, decision = decisions.popleft()
            yield owner, decision
            number += 1


def _import(
    tenant: str, client: int, chance: random.Random, decisions: deque[tuple[int, str, bytes]], due: int
) -> Iterator[bytes]:
    client_id, import_id = f"client-{client}", f"import-{client}"
    whose = {"import_id": import_id, "client_id": client_id, "requested_at": AT}
    xpm = f"xpm-{client}"
    yield _event(
        tenant,
        ClientAdded(
            client_id=client_id, xpm_client_id=xpm, personal=AmendedClient(name=f"Client {client} Pty Ltd")
        ),
        client,
    )
    yield _event(tenant, ImportStarted(**whose, xpm_client_id=xpm, requested_by="bench"), client)
    items = [_item(whose, xpm, client, number, chance) for number in range(ITEMS_OF_A_CLIENT)]
    for number, item in enumerate(items):
        yield _event(tenant, item, client, number)
        if chance.random() < RESTAGED:
            yield _event(tenant, item, client, number)
    ids = [item.item_id for item in items]
    yield _event(tenant, ImportStaged(**whose, xpm_client_id=xpm, item_ids=ids, left_out=LeftOut()), client)
    for number, item in enumerate(items[:DECIDED_OF_A_CLIENT]):
        decisions.append((due, tenant, _event(tenant, _decision(item, number), client, number)))


def _item(whose: dict[str, str], xpm: str, client: int, number: int, chance: random.Random) -> ItemStaged:
    return ItemStaged(
        **whose,
        item_id=f"item-{client}-{number}",
        xpm_client_id=xpm,
        xpm_party_id=f"party-{client}-{number}",
        relationship=Relationship(type=chance.choice(WORDS), start_date="2015-07-01"),
        personal=PersonDetails(
            name=f"Person {chance.randrange(10**6)}",
            email=f"person{client}.{number}@example.com",
            phone="0491 570 110",
            date_of_birth="1978-04-09",
            address="7 Wattle Parade\nFernleigh NSW 2999\nAustralia",
        ),
    )


def _decision(item: ItemStaged, number: int) -> EventData:
    if number % 3 == 0:
        return ItemIgnored(item_id=item.item_id, decided_by="bench")
    digest = item_digest(
        item.personal.model_dump(exclude_none=True),
        item.relationship.model_dump(exclude_none=True),
        archived=False,
        stub=False,
    )
    return ItemImported(item_id=item.item_id, decided_by="bench", seen=SeenItem(item=digest))


def _event(tenant: str, data: EventData, *what: int) -> bytes:
    return encode(
        data,
        id=derived_id(tenant, data.TYPE, *what),
        source="/bench",
        time=AT,
        subject="bench",
        tenant_id=tenant,
    )
