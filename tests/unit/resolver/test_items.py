"""The rules of `ItemStaged`."""

from typing import Any

import pytest

from tests.support.resolving.story import Story


def test_a_new_item_is_pending(story: Story) -> None:
    """3. An item whose party has no link is pending, with what was staged and nothing else."""
    story.add_client()
    run = story.start("i1")
    run.item(
        "p1-Director", name="Ann", title=None, archived=True, details_as_of="2026-11-22T23:59:59.999999Z"
    )

    item = story.item("p1-Director")
    assert (item["state"], item["import_id"], item["staged_from"]) == ("pending", "i1", run.at)
    assert (item["personal"], item["xpm_party_id"]) == ({"name": "Ann"}, "p1")
    assert item["relationship"] == {"xpm_relationship_id": "p1-Director", "type": "Director"}
    assert (item["archived"], item["stub"], item["in_xpm"]) == (True, False, True)
    assert item["details_as_of"] == 1_795_391_999_999
    names = ("reason", "member_id", "attached_by", "decided_by", "decided_at", "ignored")
    assert [item[name] for name in names] == [None] * len(names)


def test_an_item_belongs_to_one_client(story: Story) -> None:
    """1. An item of another client: `item_of_another_client`."""
    story.add_client("c1")
    story.add_client("c2")
    story.run_import("i1", "p1-Director")
    reply = story.start("i2", "c2").item("p1-Director", item_id=story.item_id("p1-Director", "c1"))

    assert reply.reason == "item_of_another_client"


def test_an_import_stages_an_item_once(story: Story) -> None:
    """1. The item was staged by this import or a later one: `already_staged`."""
    story.add_client()
    earlier, later = story.start("i1"), story.start("i2")
    later.item("p1-Director", name="Ann")

    assert later.item("p1-Director", name="Bob").reason == "already_staged"
    assert earlier.item("p1-Director", name="Cy").reason == "already_staged"
    assert story.item("p1-Director")["personal"] == {"name": "Ann"}


def test_a_later_import_stages_the_same_item_again(story: Story) -> None:
    """2. The item takes everything of the fact, and is in XPM again."""
    story.add_client()
    story.run_import("i1", "p1-Director", title="Ms")
    story.ignore("p1-Director")
    story.run_import("i2")
    assert not story.item("p1-Director")["in_xpm"]

    run = story.start("i3")
    run.item("p1-Director", name="Anna", type="Trustee", stub=True)
    item = story.item("p1-Director")
    assert (item["import_id"], item["staged_from"], item["in_xpm"]) == ("i3", run.at, True)
    assert (item["personal"], item["relationship"]["type"]) == ({"name": "Anna"}, "Trustee")
    assert (item["archived"], item["stub"]) == (False, True)
    assert len(story.rows("items")) == 1


def test_an_ignored_item_comes_back_and_remembers(story: Story) -> None:
    """3. An ignored item is pending again with the fresh details, and remembers the ones that were ignored."""
    story.add_client()
    story.run_import("i1", "p1-Director", name="Ann")
    story.ignore("p1-Director")
    story.run_import("i2", "p1-Director", name="Anna")

    item = story.item("p1-Director")
    assert (item["state"], item["decided_by"], item["decided_at"]) == ("pending", None, None)
    assert item["ignored"] == {
        "personal": {"name": "Ann"},
        "relationship": {"xpm_relationship_id": "p1-Director", "type": "Director"},
    }


def test_a_withdrawn_item_comes_back(story: Story) -> None:
    """3. A withdrawn item is pending again, without reason."""
    story.add_client()
    story.run_import("i1", "p1-Director")
    story.run_import("i2")
    story.run_import("i3", "p1-Director")

    assert (story.item("p1-Director")["state"], story.item("p1-Director")["reason"]) == ("pending", None)


def test_news_of_a_linked_party_are_not_reviewed(story: Story) -> None:
    """4. An item that was imported keeps state, who and when; the member takes the details and the relationship."""
    story.add_client()
    story.run_import("i1", "p1-Director", name="Ann")
    story.import_item("p1-Director")
    before = story.item("p1-Director")
    run = story.start("i2")
    reply = run.item("p1-Director", name="Anna", type="Trustee", title="Ms")

    item, member_id = story.item("p1-Director"), before["member_id"]
    kept = ("state", "member_id", "decided_by", "decided_at", "reason", "attached_by")
    assert [item[name] for name in kept] == [before[name] for name in kept]
    assert item["state"] == "imported"
    assert story.member(member_id)["details"] == {"name": "Anna", "title": "Ms", "relationship": "Trustee"}
    assert story.party_link("p1")["details_from"] == run.at
    assert reply.replaced == {
        ("member", member_id, "name", "Ann", "Anna"),
        ("member", member_id, "relationship", "Director", "Trustee"),
    }


def test_a_linked_item_stays_linked(story: Story) -> None:
    """4. The same for an item that was linked."""
    story.add_client()
    story.record_member(name="Ann")
    story.run_import("i1", "p1-Director")
    story.link("p1-Director", "m1")
    story.run_import("i2", "p1-Director", name="Anna")

    assert (story.item("p1-Director")["state"], story.item("p1-Director")["decided_by"]) == ("linked", "Kim")
    assert story.member("m1")["details"]["name"] == "Anna"


def test_another_relationship_of_a_linked_party_is_attached(story: Story) -> None:
    """4. Any other item of the party becomes `attached`, by the item that made the link; its word is not taken."""
    story.add_client()
    story.run_import("i1", "p1-Director", name="Ann")
    story.import_item("p1-Director")
    story.run_import("i2", "p1-Director", "p1-Trustee", name="Anna")

    item = story.item("p1-Trustee")
    assert (item["state"], item["attached_by"]) == ("attached", story.item_id("p1-Director"))
    assert item["member_id"] == story.party_link("p1")["member_id"]
    assert item["decided_by"] is item["decided_at"] is item["reason"] is None
    assert story.member(item["member_id"])["details"] == {"name": "Anna", "relationship": "Director"}


@pytest.mark.parametrize("state", ["ignored", "withdrawn"])
def test_an_item_set_aside_is_attached_once_its_party_is_linked(story: Story, state: str) -> None:
    """4. Whatever the other item was before, it is attached at the next import."""
    story.add_client()
    story.run_import("i1", "p1-Director", "p1-Trustee")
    if state == "ignored":
        story.ignore("p1-Trustee")
    else:
        story.run_import("i2", "p1-Director")
    assert story.item("p1-Trustee")["state"] == state

    story.import_item("p1-Director")
    assert story.item("p1-Trustee")["state"] == state
    story.run_import("i3", "p1-Director", "p1-Trustee")
    item = story.item("p1-Trustee")
    assert (item["state"], item["reason"], item["decided_by"]) == ("attached", None, None)


def test_an_attached_item_brings_details_too(story: Story) -> None:
    """4. Details of a party come with any of its items, even if the one that made the link is gone from XPM."""
    story.add_client()
    story.run_import("i1", "p1-Director", "p1-Trustee", name="Ann")
    story.import_item("p1-Director")
    story.run_import("i2", "p1-Trustee", name="Anna")

    member_id = story.party_link("p1")["member_id"]
    assert story.member(member_id)["details"] == {"name": "Anna", "relationship": "Director"}


def test_older_details_of_a_member_are_not_taken_but_the_relationship_is(story: Story) -> None:
    """4. Details come from the latest start only; the relationship of the item that made the link always."""
    story.add_client()
    story.run_import("i1", "p1-Director", name="Ann")
    story.import_item("p1-Director")
    earlier, later = story.start("i2"), story.start("i3")
    later.item("p1-Trustee", name="Later")
    reply = earlier.item("p1-Director", name="Earlier", type="Chair")

    member_id = story.party_link("p1")["member_id"]
    assert story.member(member_id)["details"] == {"name": "Later", "relationship": "Chair"}
    assert story.party_link("p1")["details_from"] == later.at
    assert reply.replaced == {("member", member_id, "relationship", "Director", "Chair")}


def test_the_same_import_may_tell_details_twice(story: Story) -> None:
    """4. This start or earlier: a second item of the party in the same import is taken as well."""
    story.add_client()
    story.run_import("i1", "p1-Director", name="Ann")
    story.import_item("p1-Director")
    run = story.start("i2")
    run.item("p1-Director", name="Anna")
    run.item("p1-Trustee", name="Anni")

    assert story.member(story.party_link("p1")["member_id"])["details"]["name"] == "Anni"


def test_an_item_of_another_party_counts_as_never_decided(story: Story) -> None:
    """2. If its party changed, the item is as new, but remembers what was ignored; the old link stays."""
    story.add_client()
    story.run_import("i1", "p1-Director", "p2-Spouse", name="Ann")
    story.import_item("p1-Director")
    story.ignore("p2-Spouse")
    run = story.start("i2")
    run.item("p1-Director", xpm_party_id="p3")
    run.item("p2-Spouse", xpm_party_id="p3")

    item = story.item("p1-Director")
    assert (item["state"], item["xpm_party_id"]) == ("pending", "p3")
    assert item["member_id"] is item["decided_by"] is item["decided_at"] is None
    assert story.party_link("p1")["item_id"] == story.item_id("p1-Director")
    assert story.item("p2-Spouse")["ignored"]["personal"] == {"name": "Ann"}


def test_an_item_that_moves_to_a_linked_party_is_attached(story: Story) -> None:
    """4. An imported item is not imported for another member."""
    story.add_client()
    story.run_import("i1", "p1-Director", "p2-Spouse")
    story.import_item("p1-Director")
    story.import_item("p2-Spouse")
    story.start("i2").item("p1-Director", xpm_party_id="p2")

    item = story.item("p1-Director")
    assert (item["state"], item["attached_by"]) == ("attached", story.item_id("p2-Spouse"))
    assert item["member_id"] == story.party_link("p2")["member_id"]


def test_an_item_that_left_and_came_back_is_attached_to_its_own_link(story: Story) -> None:
    """4. It counts as never decided, and it is itself the item that made the link, so its word is taken."""
    story.add_client()
    story.run_import("i1", "p1-Director")
    story.import_item("p1-Director")
    story.start("i2").item("p1-Director", xpm_party_id="p3")
    story.start("i3").item("p1-Director", type="Chair")

    item = story.item("p1-Director")
    assert (item["state"], item["attached_by"]) == ("attached", item["item_id"])
    assert story.member(item["member_id"])["details"]["relationship"] == "Chair"


def test_an_import_that_changed_nothing_leaves_the_digest(story: Story) -> None:
    """The digest covers details only: no start, no import, and null is nothing."""
    story.add_client()
    story.run_import("i1", "p1-Director", name="Ann", title=None)
    digest = story.item("p1-Director")["digest"]
    story.run_import("i2", "p1-Director", name="Ann")

    assert story.item("p1-Director")["digest"] == digest


@pytest.mark.parametrize("change", [{"title": "Ms"}, {"type": "Chair"}, {"archived": True}, {"stub": True}])
def test_an_import_that_changed_something_changes_the_digest(story: Story, change: dict[str, Any]) -> None:
    """The digest covers details, relationship and both flags."""
    story.add_client()
    story.run_import("i1", "p1-Director", name="Ann")
    digest = story.item("p1-Director")["digest"]
    story.run_import("i2", "p1-Director", **{"name": "Ann"} | change)

    assert story.item("p1-Director")["digest"] != digest
