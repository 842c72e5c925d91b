"""The rules of `ItemImported`, `ItemIgnored` and `ItemLinked`."""

import json
from typing import Any

import pytest

from schemas.fields import timestamp
from schemas.ids import derived_id
from tests.support.resolving.story import Reply, Story

STALE = "0" * 32


def decide(story: Story, kind: str, tie: str) -> Reply:
    if kind == "import":
        return story.import_item(tie)
    return story.ignore(tie) if kind == "ignore" else story.link(tie, "m1")


every_decision = pytest.mark.parametrize("kind", ["import", "ignore", "link"])


@every_decision
def test_an_unknown_item_is_not_found(story: Story, kind: str) -> None:
    """Unknown item: `item_not_found`; another tenant's item is unknown too."""
    story.add_client()
    other = story.of_tenant("south")
    other.add_client()
    other.run_import("i1", "p1-Director")
    assert decide(story, kind, "p1-Director").reason == "item_not_found"

    data = json.loads(story.entries[-1].value)["data"]
    foreign = data | {"item_id": other.item_id("p1-Director")}
    assert story.again(id="another", data=foreign).reason == "item_not_found"
    assert other.item("p1-Director")["state"] == "pending"


@every_decision
def test_a_withdrawn_item_is_not_decided(story: Story, kind: str) -> None:
    """A withdrawn item: `item_withdrawn`."""
    story.add_client()
    story.run_import("i1", "p1-Director")
    story.run_import("i2")

    assert decide(story, kind, "p1-Director").reason == "item_withdrawn"


@every_decision
@pytest.mark.parametrize("before", ["import", "ignore", "link"])
def test_an_item_is_decided_once(story: Story, kind: str, before: str) -> None:
    """Imported, linked, ignored: `already_decided`, with state, who and when."""
    story.add_client()
    story.record_member("m1", name="Ann")
    story.run_import("i1", "p1-Director")
    assert decide(story, before, "p1-Director").result == "applied"
    decided_at = story.entries[-1].timestamp
    reply = decide(story, kind, "p1-Director")

    state = {"import": "imported", "ignore": "ignored", "link": "linked"}[before]
    assert reply.reason == "already_decided"
    assert {name: reply.earlier[name] for name in ("state", "decided_by")} == {
        "state": state,
        "decided_by": "Kim",
    }
    assert reply.earlier["decided_at"] in (decided_at, timestamp(decided_at))
    assert story.item("p1-Director")["decided_at"] == decided_at


@every_decision
def test_an_attached_item_says_what_attached_it(story: Story, kind: str) -> None:
    """Attached: `already_decided`, with the item that attached it."""
    story.add_client()
    story.run_import("i1", "p1-Director", "p1-Trustee")
    story.import_item("p1-Director")
    reply = decide(story, kind, "p1-Trustee")

    assert reply.reason == "already_decided"
    assert reply.earlier == {"state": "attached", "attached_by": story.item_id("p1-Director")}


def test_an_ignored_item_leaves_the_list(story: Story) -> None:
    """`ItemIgnored`: ignored, with who and when; it remembers its details; other items of the party stay."""
    story.add_client()
    story.run_import("i1", "p1-Director", "p1-Trustee", name="Ann")
    story.ignore("p1-Director")

    item = story.item("p1-Director")
    assert (item["state"], item["decided_by"], item["decided_at"]) == (
        "ignored",
        "Kim",
        story.entries[-1].timestamp,
    )
    assert item["ignored"] == {"personal": item["personal"], "relationship": item["relationship"]}
    assert item["member_id"] is None
    assert story.item("p1-Trustee")["state"] == "pending"


def test_an_import_of_changed_details_is_refused(story: Story) -> None:
    """1. `seen.item` is not the item's digest: `changed_since_seen`, with the present details."""
    story.add_client()
    story.run_import("i1", "p1-Director", name="Ann")
    seen = {"item": story.item("p1-Director")["digest"]}
    story.run_import("i2", "p1-Director", name="Anna")
    reply = story.import_item("p1-Director", seen=seen, email="nobody")

    assert reply.reason == "changed_since_seen"
    assert reply.present == {"item": {"name": "Anna", "relationship": "Director"}}
    assert story.item("p1-Director")["state"] == "pending"


def test_an_import_that_changed_nothing_refuses_nobody(story: Story) -> None:
    """1. The digest covers details only, so what was seen before an unchanged import still holds."""
    story.add_client()
    story.run_import("i1", "p1-Director", name="Ann")
    seen = {"item": story.item("p1-Director")["digest"]}
    story.run_import("i2", "p1-Director", name="Ann")

    assert story.import_item("p1-Director", seen=seen).result == "applied"


def test_an_email_sent_with_an_import_has_to_be_one(story: Story) -> None:
    """2. `email` sent with a value that is not an e-mail: `email_invalid`; what XPM has may be anything."""
    story.add_client()
    story.run_import("i1", "p1-Director", email="nobody")

    assert story.import_item("p1-Director", email="somebody").reason == "email_invalid"
    assert story.import_item("p1-Director").result == "applied"


@pytest.mark.parametrize(
    ("staged", "sent", "reason"),
    [
        ({}, {}, "email_required"),
        ({}, {"email": None}, "email_required"),
        ({"email": "ann@a.example"}, {"email": None}, "email_required"),
        ({"email": "nobody"}, {}, "email_invalid"),
        ({"email": "nobody"}, {"email": "ann@a.example"}, None),
        ({"email": "ann@a.example"}, {}, None),
        ({"email": "TAKEN@a.example"}, {}, "email_taken"),
        ({"email": "ann@a.example"}, {"email": "Taken@A.example"}, "email_taken"),
        ({"email": "ann@a.example"}, {"email": "acme@a.example"}, "email_taken"),
    ],
)
def test_a_co_owner_is_imported_with_an_email_of_its_own(
    story: Story, staged: dict[str, str], sent: dict[str, Any], reason: str | None
) -> None:
    """3. A co-owner needs an e-mail, sent or staged, that is one and that nobody else holds."""
    story.add_client(account_email="acme@a.example")
    story.record_member("m1", name="Bob", email="taken@a.example", co_owner=True)
    story.run_import("i1", "p1-Director", **staged)
    reply = story.import_item("p1-Director", co_owner=True, **sent)

    assert reply.reason == reason
    assert story.item("p1-Director")["state"] == ("pending" if reason else "imported")
    if reason is None:
        assert story.emails()["ann@a.example"] == story.item("p1-Director")["member_id"]


def test_who_is_no_co_owner_may_share_an_email(story: Story) -> None:
    """3. The e-mail rules are for co-owners."""
    story.add_client()
    story.record_member("m1", name="Bob", email="taken@a.example", co_owner=True)
    story.run_import("i1", "p1-Director", email="taken@a.example")

    assert story.import_item("p1-Director").result == "applied"
    assert story.emails() == {"taken@a.example": "m1"}


def test_an_import_makes_a_member(story: Story) -> None:
    """4. A member with the staged details and the relationship's type, under an id derived from the command's."""
    story.add_client()
    story.run_import("i1", "p1-Director", name="Ann", title="Ms", email="nobody", phone=None)
    story.import_item("p1-Director", event_id="the-command")

    member = story.member(derived_id("north", "member", "the-command"))
    assert member["client_id"] == "c1"
    assert (member["co_owner"], member["removed"]) == (False, False)
    assert member["details"] == {"name": "Ann", "title": "Ms", "email": "nobody", "relationship": "Director"}
    assert member["provenance"] == {
        name: {"by": "xpm", "xpm": value} for name, value in member["details"].items()
    }


def test_amended_fields_of_an_import_are_staffs(story: Story) -> None:
    """4. A field sent that differs has provenance `staff`, null too; one that confirms has `xpm`; XPM's is kept."""
    story.add_client()
    story.run_import("i1", "p1-Director", name="Ann", title="Ms", phone="1")
    story.import_item(
        "p1-Director", relationship="Chair", name="Ann", title=None, phone="2", gender="x", address=None
    )

    member = story.member(story.item("p1-Director")["member_id"])
    assert member["details"] == {"name": "Ann", "phone": "2", "gender": "x", "relationship": "Chair"}
    assert member["provenance"] == {
        "name": {"by": "xpm", "xpm": "Ann"},
        "title": {"by": "staff", "xpm": "Ms"},
        "phone": {"by": "staff", "xpm": "1"},
        "gender": {"by": "staff"},
        "relationship": {"by": "staff", "xpm": "Director"},
    }


def test_a_relationship_can_be_cleared_at_import(story: Story) -> None:
    """4. Null differs from a value."""
    story.add_client()
    story.run_import("i1", "p1-Director", name="Ann")
    story.import_item("p1-Director", relationship=None)

    member = story.member(story.item("p1-Director")["member_id"])
    assert "relationship" not in member["details"]
    assert member["provenance"]["relationship"] == {"by": "staff", "xpm": "Director"}


@pytest.mark.parametrize("client_id", ["c1", "c2"])
def test_an_import_never_overwrites_a_member(story: Story, client_id: str) -> None:
    """4. Somebody recorded a member under the id to be derived: `member_exists`, removed or not."""
    story.add_client("c1")
    story.add_client("c2")
    member_id = derived_id("north", "member", "the-command")
    story.record_member(member_id, client_id, name="Ann")
    story.remove_member(member_id, client_id)
    story.run_import("i1", "p1-Director", name="Bob")

    assert story.import_item("p1-Director", co_owner=True, event_id="first").reason == "email_required"
    assert story.import_item("p1-Director", event_id="the-command").reason == "member_exists"
    assert story.member(member_id)["details"] == {"name": "Ann"}


def test_an_import_makes_a_link(story: Story) -> None:
    """5. A link with the item's start; the item is imported with member, who and when."""
    story.add_client()
    run = story.run_import("i1", "p1-Director")
    story.import_item("p1-Director")

    item = story.item("p1-Director")
    assert (item["state"], item["decided_by"], item["decided_at"]) == (
        "imported",
        "Kim",
        story.entries[-1].timestamp,
    )
    assert story.party_link("p1") == {
        "tenant_id": "north",
        "client_id": "c1",
        "xpm_party_id": "p1",
        "member_id": item["member_id"],
        "item_id": item["item_id"],
        "details_from": run.at,
    }


@pytest.mark.parametrize("kind", ["import", "link"])
def test_other_pending_items_of_the_party_are_attached(story: Story, kind: str) -> None:
    """6. Of this client and party only, and only pending ones."""
    story.add_client("c1")
    story.add_client("c2")
    story.record_member("m1", name="Ann")
    story.run_import("i0", "p1-Director", client_id="c2")
    story.run_import("i1", "p1-Director", "p1-Trustee", "p1-Chair", "p2-Spouse")
    story.ignore("p1-Chair")
    decide(story, kind, "p1-Director")

    attached = story.item("p1-Trustee")
    assert (attached["state"], attached["attached_by"]) == ("attached", story.item_id("p1-Director"))
    assert attached["member_id"] == story.item("p1-Director")["member_id"]
    assert attached["decided_by"] is attached["decided_at"] is None
    others = [story.item("p1-Chair"), story.item("p2-Spouse"), story.item("p1-Director", "c2")]
    assert [item["state"] for item in others] == ["ignored", "pending", "pending"]


def test_a_link_needs_a_member_of_the_client(story: Story) -> None:
    """`ItemLinked` 1. Unknown, or another client's, or another tenant's: `member_not_found`."""
    story.add_client("c1")
    story.add_client("c2")
    story.record_member("m2", "c2", name="Ann")
    other = story.of_tenant("south")
    other.add_client("c1")
    other.record_member("m3", "c1", name="Ann")
    story.run_import("i1", "p1-Director")

    for member_id in ("m1", "m2", "m3"):
        assert story.link("p1-Director", member_id).reason == "member_not_found"


def test_a_removed_member_is_not_linked(story: Story) -> None:
    """`ItemLinked` 1. Removed: `member_removed`."""
    story.add_client()
    story.record_member("m1", name="Ann")
    story.remove_member("m1")
    story.run_import("i1", "p1-Director")

    assert story.link("p1-Director", "m1").reason == "member_removed"


def test_a_member_has_one_link(story: Story) -> None:
    """`ItemLinked` 1. A member that has a link: `member_already_linked`, before what was seen is looked at."""
    story.add_client()
    story.record_member("m1", name="Ann")
    story.run_import("i1", "p1-Director", "p2-Spouse")
    story.link("p1-Director", "m1")

    assert story.link("p2-Spouse", "m1", item=STALE).reason == "member_already_linked"
    assert story.link("p2-Spouse", story.item("p1-Director")["member_id"]).reason == "member_already_linked"


@pytest.mark.parametrize("seen", ["item", "member"])
def test_a_link_of_changed_details_is_refused(story: Story, seen: str) -> None:
    """`ItemLinked` 1. One of the digests differs: `changed_since_seen`, with the details of both."""
    story.add_client()
    story.record_member("m1", name="Ann", relationship="Chair")
    story.run_import("i1", "p1-Director", name="Anna")
    reply = story.link("p1-Director", "m1", **{seen: STALE})

    assert reply.reason == "changed_since_seen"
    assert reply.present == {
        "item": {"name": "Anna", "relationship": "Director"},
        "member": {"name": "Ann", "relationship": "Chair"},
    }


def test_a_members_digest_covers_co_ownership(story: Story) -> None:
    """`ItemLinked` 1. Whether the member is a co-owner was seen too."""
    story.add_client()
    story.record_member("m1", name="Ann", email="ann@a.example")
    digest = story.member("m1")["digest"]
    story.record_member("m1", co_owner=True)
    story.run_import("i1", "p1-Director")

    assert story.link("p1-Director", "m1", member=digest).reason == "changed_since_seen"


def test_a_linked_member_is_replaced(story: Story) -> None:
    """`ItemLinked` 2. The member takes details and relationship, a link is made, the item is linked."""
    story.add_client()
    story.record_member("m1", name="Ann", phone="1", relationship="Chair")
    run = story.run_import("i1", "p1-Director", name="Anna", title="Ms")
    reply = story.link("p1-Director", "m1")

    assert story.member("m1")["details"] == {
        "name": "Anna",
        "title": "Ms",
        "phone": "1",
        "relationship": "Director",
    }
    assert reply.replaced == {
        ("member", "m1", "name", "Ann", "Anna"),
        ("member", "m1", "relationship", "Chair", "Director"),
    }
    item = story.item("p1-Director")
    assert (item["state"], item["member_id"], item["decided_by"]) == ("linked", "m1", "Kim")
    link = story.party_link("p1")
    assert (link["member_id"], link["item_id"], link["details_from"]) == ("m1", item["item_id"], run.at)


def test_a_decision_is_a_review_of_every_open_import_that_holds_the_item(story: Story) -> None:
    """An applied decision: with a list the import becomes `in_review`; without, it is marked."""
    story.add_client()
    story.run_import("i1", "p1-Director", "p2-Spouse", "p3-Spouse")
    fetching = story.start("i2")
    fetching.item("p1-Director")
    story.start("i3").item("p3-Spouse")
    story.ignore("p1-Director")

    found = [(story.imported(it)["status"], story.imported(it)["reviewed"]) for it in ("i1", "i2", "i3")]
    assert found == [("in_review", True), ("fetching", True), ("fetching", False)]


def test_a_refused_decision_is_no_review(story: Story) -> None:
    """Only an applied decision marks."""
    story.add_client()
    story.run_import("i1", "p1-Director")
    story.import_item("p1-Director", seen={"item": STALE})

    row = story.imported("i1")
    assert (row["status"], row["reviewed"]) == ("ready_for_review", False)


def test_an_attached_item_is_no_review_of_an_import_that_holds_it_alone(story: Story) -> None:
    """What is taken along was not decided itself."""
    story.add_client()
    story.start("i1").item("p1-Trustee")
    story.start("i2").item("p1-Director")
    story.import_item("p1-Director")

    assert story.item("p1-Trustee")["state"] == "attached"
    assert [story.imported(it)["reviewed"] for it in ("i1", "i2")] == [False, True]
