"""A journal of any length from a seed: many tenants, imports and repeated imports, and decisions long after them.

Of all records about sixty in a hundred are stagings, thirty are decisions and ten are others, once the journal is a few
times as long as the time until a decision. Every event is made independently of the resolver; the decisions carry
digests of what was staged. Ids and details are as long as real ones.

An event's subject is the item, client, import or member that it is about, so that a consumer which keeps a row for each
has a key for it.
"""

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from schemas.codec import encode
from schemas.decisions import ItemIgnored, ItemImported, ItemLinked, SeenItem, SeenItemAndMember
from schemas.envelope import EventData
from schemas.ids import derived_id, item_id
from schemas.imports import EntityStaged, ImportStaged, ImportStarted, ItemStaged, LeftOut, Relationship
from schemas.people import AmendedClient, AmendedPerson, EntityDetails, PersonDetails
from schemas.portal import ClientAdded, MemberRecorded
from schemas.seen import item_digest, member_digest

AT = "2026-01-01T00:00:00.000Z"
ITEMS_OF_A_CLIENT = 24
DECIDED_OF_A_CLIENT = 15
DECIDED = 0.3
"""Of all records, as soon as so many can be decided."""
REPEATED = 0.08
"""Of all imports: those that stage a client's items once more, after what was to be decided was."""
CHANGED = 0.25
"""Of the items that are staged once more: those whose details are others now."""
MEMBER_EVERY = 4
"""One client in so many has somebody already, to whom an item is linked."""
WORDS = ("Director", "Shareholder", "Trustee", "Beneficiary", "Secretary")


@dataclass(frozen=True, slots=True)
class Staged:
    """One client and what was staged of it."""

    tenant: str
    number: int
    items: tuple[ItemStaged, ...]

    @property
    def has_member(self) -> bool:
        return self.number % MEMBER_EVERY == 0


def journal(records: int, tenants: int, decided_after: int, seed: int = 7) -> Iterator[tuple[str, bytes]]:
    """Pairs of tenant and encoded event. A decision comes at least `decided_after` records after its staging."""
    return islice(_endless(random.Random(seed), tenants, decided_after), records)


def _endless(chance: random.Random, tenants: int, decided_after: int) -> Iterator[tuple[str, bytes]]:
    waiting: deque[tuple[int, Staged]] = deque()
    decided: deque[Staged] = deque()
    number = client = decisions = 0
    while True:
        while waiting and waiting[0][0] <= number and decisions < DECIDED * number:
            staged = waiting.popleft()[1]
            for event in _decisions(staged):
                yield staged.tenant, event
                number += 1
                decisions += 1
            decided.append(staged)
        if decided and chance.random() < REPEATED:
            staged = decided.popleft()
            events = list(_repeated(staged, chance))
        else:
            client += 1
            staged = _staged(f"tenant-{chance.randrange(tenants)}", client, chance)
            events = [*_facts_of_the_portal(staged), *_import(staged, staged.items, 1)]
            waiting.append((number + len(events) + decided_after, staged))
        for event in events:
            yield staged.tenant, event
            number += 1


def _staged(tenant: str, client: int, chance: random.Random) -> Staged:
    whose = _whose(tenant, client, 1)
    items = tuple(_item(tenant, whose, client, number, chance) for number in range(ITEMS_OF_A_CLIENT))
    return Staged(tenant, client, items)


def _whose(tenant: str, client: int, turn: int) -> dict[str, str]:
    return {
        "import_id": derived_id(tenant, "bench-import", client, turn),
        "client_id": derived_id(tenant, "bench-client", client),
        "requested_at": AT,
    }


def _item(tenant: str, whose: dict[str, str], client: int, number: int, chance: random.Random) -> ItemStaged:
    party = derived_id(tenant, "bench-party", client, number)
    word = chance.choice(WORDS)
    return ItemStaged(
        **whose,
        item_id=item_id(
            tenant,
            whose["client_id"],
            xpm_relationship_id=None,
            xpm_party_id=party,
            relationship_type=word,
            start_date="2015-07-01",
        ),
        xpm_client_id=f"xpm-{client}",
        xpm_party_id=party,
        relationship=Relationship(type=word, start_date="2015-07-01"),
        personal=PersonDetails(
            name=f"Person {chance.randrange(10**6)}",
            email=f"person{client}.{number}@example.com",
            phone="0491 570 110",
            date_of_birth="1978-04-09",
            address="7 Wattle Parade\nFernleigh NSW 2999\nAustralia",
        ),
    )


def _facts_of_the_portal(staged: Staged) -> Iterator[bytes]:
    client_id = staged.items[0].client_id
    name = f"Client {staged.number} Pty Ltd"
    added = ClientAdded(
        client_id=client_id, xpm_client_id=f"xpm-{staged.number}", personal=AmendedClient(name=name)
    )
    yield _event(staged.tenant, added, f"clients/{client_id}", staged.number)
    if staged.has_member:
        recorded = MemberRecorded(
            member_id=_member_id(staged), client_id=client_id, personal=AmendedPerson(**_member(staged))
        )
        yield _event(staged.tenant, recorded, f"members/{recorded.member_id}", staged.number)


def _member_id(staged: Staged) -> str:
    return derived_id(staged.tenant, "bench-member", staged.number)


def _member(staged: Staged) -> dict[str, str]:
    return {"name": f"Member of {staged.number}", "phone": "0491 570 156"}


def _import(staged: Staged, items: tuple[ItemStaged, ...], turn: int) -> Iterator[bytes]:
    tenant, whose = staged.tenant, _whose(staged.tenant, staged.number, turn)
    about = f"imports/{whose['import_id']}"
    xpm = f"xpm-{staged.number}"
    yield _event(tenant, ImportStarted(**whose, xpm_client_id=xpm, requested_by="bench"), about, turn)
    entity = EntityDetails(
        name=f"Client {staged.number} Pty Ltd", business_structure="Company", business_number="53004085616"
    )
    client = f"clients/{whose['client_id']}"
    yield _event(tenant, EntityStaged(**whose, xpm_client_id=xpm, personal=entity), client, turn)
    for item in items:
        yield _event(tenant, item, f"items/{item.item_id}", turn)
    ids = [item.item_id for item in items]
    done = ImportStaged(**whose, xpm_client_id=xpm, item_ids=ids, left_out=LeftOut())
    yield _event(tenant, done, about, turn)


def _repeated(staged: Staged, chance: random.Random) -> Iterator[bytes]:
    """The client's second import: some people have moved."""
    again = {"import_id": _whose(staged.tenant, staged.number, 2)["import_id"]}
    items = tuple(
        item.model_copy(
            update={**again, "personal": _moved(item.personal)} if chance.random() < CHANGED else again
        )
        for item in staged.items
    )
    return _import(staged, items, 2)


def _moved(person: PersonDetails) -> PersonDetails:
    return person.model_copy(update={"address": "12 Banksia Street\nFernleigh NSW 2999\nAustralia"})


def _decisions(staged: Staged) -> Iterator[bytes]:
    for number, item in enumerate(staged.items[:DECIDED_OF_A_CLIENT]):
        decision = _decision(staged, item, number)
        yield _event(staged.tenant, decision, f"items/{item.item_id}", number)


def _decision(staged: Staged, item: ItemStaged, number: int) -> EventData:
    """Of three items one is ignored; the client's one member takes the first that is not."""
    if number % 3 == 0:
        return ItemIgnored(item_id=item.item_id, decided_by="bench")
    digest = item_digest(
        item.personal.model_dump(exclude_none=True),
        item.relationship.model_dump(exclude_none=True),
        archived=False,
        stub=False,
    )
    if number == 1 and staged.has_member:
        seen = SeenItemAndMember(item=digest, member=member_digest(_member(staged), co_owner=False))
        return ItemLinked(item_id=item.item_id, member_id=_member_id(staged), decided_by="bench", seen=seen)
    return ItemImported(
        item_id=item.item_id, decided_by="bench", seen=SeenItem(item=digest), co_owner=number == 2
    )


def _event(tenant: str, data: EventData, subject: str, turn: int) -> bytes:
    return encode(
        data,
        id=derived_id(tenant, data.TYPE, subject, turn),
        source="/bench",
        time=AT,
        subject=subject,
        tenant_id=tenant,
    )
