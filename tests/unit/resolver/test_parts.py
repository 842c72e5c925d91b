"""Outcomes of records with very many consequences."""

from schemas.codec import decode, encode
from schemas.people import AmendedClient
from schemas.portal import ClientAdded
from schemas.topics import JOURNAL, MAX_EVENT_BYTES, OUTCOMES
from services.resolver.domain.entities import Client, Item, Link, Member
from services.resolver.domain.fold import JournalRecord, fold
from services.resolver.domain.state import World

LINKED = 1_200


def _client_with_many_links() -> World:
    world = World()
    state = world.tenant("north")
    state.put_client(Client("c", xpm_client_id="x", details={"name": "Unit Trust"}))
    for number in range(LINKED):
        member, item = f"member-{number:04}", f"item-{number:04}"
        state.put_member(Member(member, "c", details={"name": f"Holder {number}"}))
        state.put_link(Link("c", f"party-{number}", member, item, 1))
        state.put_item(_imported(item, member, f"party-{number}"))
    state.commit()
    return world


def _imported(item_id: str, member_id: str, party: str) -> Item:
    return Item(
        item_id=item_id,
        client_id="c",
        xpm_party_id=party,
        import_id="i",
        staged_from=1,
        personal={},
        relationship={"type": "Beneficiary"},
        archived=False,
        stub=False,
        details_as_of=None,
        digest="d" * 32,
        state="imported",
        member_id=member_id,
    )


def _repointed() -> JournalRecord:
    event = encode(
        ClientAdded(client_id="c", xpm_client_id="another", personal=AmendedClient()),
        id="repoint",
        source="/test",
        time="2026-01-01T00:00:00Z",
        subject="clients/c",
        tenant_id="north",
    )
    return JournalRecord(0, 7, 1_700_000_000_000, decode(event, JOURNAL))


def test_each_part_is_small_enough_to_be_read_and_together_they_tell_everything():
    """Parting a client from 1,200 people is told in parts that any reader accepts, each thing once."""
    (verdict,) = fold(_client_with_many_links(), [_repointed()])

    parts = [decode(outcome, OUTCOMES).data for outcome in verdict.outcomes]
    assert verdict.result == "applied"
    assert max(map(len, verdict.outcomes)) < MAX_EVENT_BYTES / 4
    assert [(number, len(parts)) for number in range(len(parts))] == [
        (part.part, part.parts) for part in parts
    ]
    assert len({item.item_id for part in parts for item in part.items}) == LINKED
    assert sum(len(part.items) for part in parts) == LINKED
    assert len({member.member_id for part in parts for member in part.members}) == LINKED
    assert sum(len(part.members) for part in parts) == LINKED
    assert {"withdrawn"} == {item.state for part in parts for item in part.items}
    assert len({(part.version.offset, part.version.swap) for part in parts}) == 1
