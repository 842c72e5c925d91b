"""From what XPM holds to the facts of an import."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings

from schemas.codec import Event, decode
from schemas.fields import timestamp
from schemas.ids import item_id
from schemas.imports import EntityStaged, ImportFact, ImportStaged, ItemStaged
from schemas.topics import JOURNAL
from services.importer import domain
from services.importer.domain import Party, Request
from services.importer.xpm.records import Client, Details, Relationship
from tests.support.importing.holdings import AT, HOLDINGS, TODAY, Holding

REQUEST = Request("t1", "import-1", "c1", "client-of-xpm", "Anna Lindqvist", None, 1_790_000_000_123)


def read(events: Sequence[bytes]) -> list[Event]:
    return [decode(event, JOURNAL) for event in events]


def staged(*relationships: Relationship, **parties: Client | None) -> list[ItemStaged]:
    """The items that a client with these relationships brings."""
    client = Client(
        xpm_client_id="client-of-xpm", details=Details(name="A client"), relationships=relationships
    )
    known = {name: Party(record, AT) for name, record in parties.items()}
    found = read(domain.staged(REQUEST, client, known, TODAY))
    return [event.data for event in found if isinstance(event.data, ItemStaged)]


def tie(party: str = "mara", **more: object) -> Relationship:
    return Relationship(
        **{"type": "Director", "xpm_party_id": party, "party_name": "Name on the tie", **more}
    )


def record(**details: str) -> Client:
    return Client(xpm_client_id="mara", details=Details(**details))


def item_id_of(request: Request, relationship: Relationship) -> str:
    return item_id(
        request.tenant_id,
        request.client_id,
        xpm_relationship_id=relationship.xpm_relationship_id,
        xpm_party_id=relationship.xpm_party_id,
        relationship_type=relationship.type,
        start_date=relationship.start_date,
    )


@settings(deadline=None)  # the clock of a busy machine says nothing of the rule
@given(HOLDINGS)
def test_the_same_holding_gives_the_same_bytes(holding: Holding) -> None:
    """A set that is made again is the same to the last byte, so that a repeat is a repeat."""
    arguments = (holding.request, holding.client, holding.parties, TODAY)
    assert domain.staged(*arguments) == domain.staged(*arguments)


@settings(deadline=None)  # the clock of a busy machine says nothing of the rule
@given(HOLDINGS)
def test_every_relationship_is_staged_or_counted_once(holding: Holding) -> None:
    """Nothing that XPM says gets lost: there is an item for it, or one more in the count of why not."""
    *_, complete = read(domain.staged(holding.request, holding.client, holding.parties, TODAY))
    assert isinstance(complete.data, ImportStaged)
    left_out = complete.data.left_out
    counted = left_out.ended + left_out.party_deleted + left_out.unreadable
    said = _said_once(holding.client.relationships)
    kept = [each for each in said if not _is_left_out(each, holding.parties)]

    assert {item_id_of(holding.request, each) for each in kept} == set(complete.data.item_ids)
    assert counted == len(said) - len(kept) + holding.client.unreadable_relationships


def _said_once(relationships: Sequence[Relationship]) -> list[Relationship]:
    """Without those that repeat an earlier one: whatever both have is the same, start and end in any case."""

    def repeats(one: Relationship, other: Relationship) -> bool:
        exactly = ("type", "xpm_party_id", "start_date", "end_date")
        where_known = ("number_of_shares", "percentage")
        return all(getattr(one, name) == getattr(other, name) for name in exactly) and all(
            getattr(one, name) == getattr(other, name)
            for name in where_known
            if getattr(one, name) is not None and getattr(other, name) is not None
        )

    found: list[Relationship] = []
    for each in relationships:
        if not any(repeats(each, earlier) for earlier in found):
            found.append(each)
    return found


def _is_left_out(relationship: Relationship, parties: dict[str, Party]) -> bool:
    """As the domain puts it: its end date has passed, its party is deleted, or nothing at all is known of the party."""
    found = parties.get(relationship.xpm_party_id)
    party = found.record if found else None
    ended = relationship.end_date is not None and relationship.end_date < TODAY.isoformat()
    nameless = relationship.party_name is None and (party is None or party.details.name is None)
    return ended or (party is not None and party.deleted) or nameless


@settings(deadline=None)  # the clock of a busy machine says nothing of the rule
@given(HOLDINGS)
def test_a_set_is_one_entity_then_items_then_their_list(holding: Holding) -> None:
    """The list is complete, in order, without repeats, and comes last."""
    entity, *items, complete = (
        each.data for each in read(domain.staged(holding.request, holding.client, holding.parties, TODAY))
    )
    assert isinstance(entity, EntityStaged)
    assert isinstance(complete, ImportStaged)
    found = [item.item_id for item in items if isinstance(item, ItemStaged)]
    assert found == complete.item_ids
    assert len(found) == len(items) == len(set(found))


@settings(deadline=None)  # the clock of a busy machine says nothing of the rule
@given(HOLDINGS)
def test_facts_carry_whose_they_are_and_when_it_was_asked(holding: Holding) -> None:
    """Every fact has the request's broker timestamp, its own id, and the ids that the portal used."""
    request = holding.request
    facts = [
        domain.started(request),
        domain.waiting(request, 1, AT, "quota_day"),
        domain.waiting(request, 2, AT, "quota_day"),
        *domain.staged(request, holding.client, holding.parties, TODAY),
    ]
    found = read(facts)
    assert len({event.id for event in found}) == len(found)
    for event in found:
        assert isinstance(event.data, ImportFact)
        assert (event.tenant_id, event.causation_id) == (request.tenant_id, request.import_id)
        assert (event.data.import_id, event.data.client_id) == (request.import_id, request.client_id)
        assert event.time == event.data.requested_at == timestamp(request.requested_at)
        assert getattr(event.data, "xpm_client_id", request.xpm_client_id) == request.xpm_client_id


def test_a_failure_takes_the_place_of_the_whole_set() -> None:
    """An import has one end: failing has the id that the complete list would have."""
    client = Client(xpm_client_id="client-of-xpm", details=Details(name="A client"))
    *_, complete = domain.staged(REQUEST, client, {}, TODAY)
    failed = domain.failed(REQUEST, "forbidden", "Do something.")
    assert read([failed])[0].id == read([complete])[0].id


def test_items_are_the_same_at_every_import() -> None:
    """The id of an item does not depend on the import; the id of the fact does."""
    client = Client(xpm_client_id="client-of-xpm", details=Details(name="A client"), relationships=(tie(),))
    later = Request("t1", "import-2", "c1", "client-of-xpm", "Anna Lindqvist", None, 1)
    (_, first, _), (_, second, _) = (
        read(domain.staged(each, client, {}, TODAY)) for each in (REQUEST, later)
    )
    assert isinstance(first.data, ItemStaged)
    assert isinstance(second.data, ItemStaged)
    assert first.data.item_id == second.data.item_id
    assert first.id != second.id


def test_a_fact_that_was_typed_on_both_records_is_one_item() -> None:
    """XPM then has it twice on each record, under two ids and in spellings of its own; the first is staged."""
    typed = (
        tie(xpm_relationship_id="r1", type="Shareholder", number_of_shares=60),
        tie(xpm_relationship_id="r2", type="shareholder"),
        tie(xpm_relationship_id="r3", type="Director"),
        tie("tomas", xpm_relationship_id="r4", type="Shareholder"),
    )

    assert [item.relationship.xpm_relationship_id for item in staged(*typed)] == ["r1", "r3", "r4"]


@pytest.mark.parametrize(
    "other",
    [
        {"start_date": "2020-01-01"},
        {"end_date": "2030-01-01"},
        {"number_of_shares": 40},
        {"percentage": "10"},
        {"type": "Shareholder Of"},
        {"type": "Shareholdr"},
    ],
    ids=str,
)
def test_rows_that_differ_are_items_of_their_own(other: dict[str, object]) -> None:
    """Two parcels of shares, two terms of office, and words that only look alike."""
    row = {"type": "Shareholder", "number_of_shares": 60, "percentage": "5"}
    found = staged(tie(xpm_relationship_id="r1", **row), tie(xpm_relationship_id="r2", **{**row, **other}))

    assert len(found) == 2


def test_both_sides_of_a_pair_are_each_staged_for_their_own_client() -> None:
    """Under one relationship id or two: the client of the one is the party of the other, and nothing meets."""
    other = Request("t1", "import-2", "c2", "mara", "Anna Lindqvist", None, 1)
    sides = [
        (REQUEST, tie("mara", xpm_relationship_id="r1")),
        (other, tie("client-of-xpm", xpm_relationship_id="r1", type="Director Of")),
    ]
    ids = []
    for request, side in sides:
        client = Client(xpm_client_id="x", details=Details(name="A"), relationships=(side,))
        *_, complete = read(domain.staged(request, client, {}, TODAY))
        assert isinstance(complete.data, ImportStaged)
        ids += complete.data.item_ids

    assert len(set(ids)) == 2


@pytest.mark.parametrize(("days", "is_over"), [(-1, True), (0, False), (1, False)])
def test_a_relationship_is_over_after_its_last_day(days: int, is_over: bool) -> None:  # noqa: FBT001
    """On its last day it still holds."""
    ends = (TODAY + timedelta(days=days)).isoformat()
    assert domain.is_over(tie(end_date=ends), TODAY) is is_over


def test_parties_of_relationships_that_are_over_are_not_read() -> None:
    """A call is made for a party once, and only if one of its relationships still holds."""
    past = (TODAY - timedelta(days=1)).isoformat()
    ties = (tie("mara"), tie("priya", end_date=past), tie("mara", type="Shareholder"), tie("tomas"))
    client = Client(xpm_client_id="x", details=Details(name="A client"), relationships=ties)
    assert domain.parties_to_read(client, TODAY) == ["mara", "tomas"]


def test_a_party_that_was_not_read_is_a_stub_with_the_name_on_the_relationship() -> None:
    """It says that it is one, and when it was tried."""
    (item,) = staged(tie(), mara=None)
    assert (item.stub, item.personal.name) == (True, "Name on the tie")
    assert item.details_as_of == "2026-11-23T08:00:00.123Z"


def test_the_record_of_a_party_goes_before_the_name_on_the_relationship() -> None:
    """What the party's own record says is fresher."""
    (item,) = staged(tie(), mara=record(name="Mara Ellison", email="mara@northlight.example"))
    assert (item.stub, item.personal.name, item.personal.email) == (
        False,
        "Mara Ellison",
        "mara@northlight.example",
    )


def test_an_archived_party_is_staged_and_flagged() -> None:
    """Archived is not gone."""
    (item,) = staged(tie(), mara=record(name="Mara Ellison").model_copy(update={"archived": True}))
    assert item.archived


def test_a_name_is_never_made_up() -> None:
    """A made-up name would replace a real one of a linked member: such a relationship is counted instead."""
    assert staged(tie(party_name=None), mara=None) == []
    (item,) = staged(tie(), mara=record(phone="0491 570 110"))
    assert item.personal.name == "Name on the tie"


@pytest.mark.parametrize(
    ("held", "address"),
    [
        ({"address": "7 Wattle Parade", "postal_address": "PO Box 1"}, "7 Wattle Parade"),
        ({"postal_address": "PO Box 1"}, "PO Box 1"),
        ({}, None),
    ],
)
def test_a_person_has_one_address(held: dict[str, str], address: str | None) -> None:
    """The postal one is taken where there is no other."""
    (item,) = staged(tie(), mara=record(name="Mara Ellison", **held))
    assert item.personal.address == address


def test_the_client_itself_keeps_both_addresses() -> None:
    """An entity has room for the postal address."""
    details = Details(name="A client", postal_address="PO Box 1", company_number="600123456")
    entity, _ = read(domain.staged(REQUEST, Client(xpm_client_id="x", details=details), {}, TODAY))
    assert isinstance(entity.data, EntityStaged)
    assert entity.data.personal.model_dump(exclude_none=True) == {
        "name": "A client",
        "postal_address": "PO Box 1",
        "company_number": "600123456",
    }


def test_a_connection_that_changes_is_another_fact() -> None:
    """A practice renamed and renamed back is told three times, and the same change has the same id and content."""
    at = datetime(2026, 11, 23, tzinfo=UTC)
    told = read(
        domain.given("t1", "x1", name, changes, at)
        for changes, name in enumerate(("Harbour", "Harbour & Hill", "Harbour", "Harbour"), start=1)
    )
    again = read([domain.given("t1", "x1", "Harbour", 1, at + timedelta(days=1))])[0]
    assert len({event.id for event in told}) == 4
    assert (again.id, again.content) == (told[0].id, told[0].content)
