"""What an import replaces on a linked member, and what it leaves alone."""

from typing import Any

import pytest

from tests.support.resolving.story import Reply, Story


@pytest.fixture
def linked(story: Story) -> Story:
    """Ann, recorded by hand, is linked to party p1."""
    story.add_client()
    story.record_member("m1", name="Ann", phone="1")
    story.run_import("i1", "p1-Director", name="Ann", title="Ms")
    story.link("p1-Director", "m1")
    return story


def bring(story: Story, tie: str = "p1-Director", **fields: Any) -> Reply:
    """The next import brings news."""
    return story.start(f"next-{len(story.entries)}").item(tie, **{"name": "Ann"} | fields)


def provenance(story: Story, name: str) -> dict[str, str] | None:
    marks: dict[str, dict[str, str]] = story.member("m1")["provenance"]
    return marks.get(name)


def test_xpms_value_replaces(linked: Story) -> None:
    """The value is XPM's, provenance `xpm`; another value before counts as replaced, with before and after."""
    reply = bring(linked, title="Dr", phone="2", gender="x")

    assert linked.member("m1")["details"] == {
        "name": "Ann",
        "title": "Dr",
        "phone": "2",
        "gender": "x",
        "relationship": "Director",
    }
    assert provenance(linked, "phone") == {"by": "xpm", "xpm": "2"}
    assert reply.replaced == {("member", "m1", "title", "Ms", "Dr"), ("member", "m1", "phone", "1", "2")}


def test_the_same_value_replaces_nothing(linked: Story) -> None:
    """A value that is equal is XPM's from now on, and not counted."""
    reply = bring(linked, title="Ms", phone="1")

    assert provenance(linked, "phone") == {"by": "xpm", "xpm": "1"}
    assert reply.replaced == frozenset()


def test_what_xpm_does_not_have_never_blanks(linked: Story) -> None:
    """A field without a value in XPM keeps the member's, and what XPM had is forgotten."""
    bring(linked, title=None)

    assert linked.member("m1")["details"]["title"] == "Ms"
    assert provenance(linked, "title") == {"by": "xpm"}


def test_what_staff_changed_is_kept(linked: Story) -> None:
    """Provenance `staff`: the value is kept, cleared or not, and what XPM has is remembered."""
    linked.record_member("m1", name="Anni", title=None)
    reply = bring(linked, name="Anna", title="Dr")

    assert linked.member("m1")["details"] == {"name": "Anni", "phone": "1", "relationship": "Director"}
    assert provenance(linked, "name") == {"by": "staff", "xpm": "Anna"}
    assert provenance(linked, "title") == {"by": "staff", "xpm": "Dr"}
    assert reply.replaced == frozenset()

    bring(linked)
    assert provenance(linked, "title") == {"by": "staff"}


def test_what_was_amended_at_import_is_kept(story: Story) -> None:
    """What staff changed when importing is kept likewise, the relationship too."""
    story.add_client()
    story.run_import("i1", "p1-Director", name="Ann", title="Ms")
    story.import_item("p1-Director", name="Anni", relationship="Chair")
    bring(story, name="Anna", title="Dr", type="Trustee")

    details = story.member(story.party_link("p1")["member_id"])["details"]
    assert details == {"name": "Anni", "title": "Dr", "relationship": "Chair"}


def test_everything_from_before_the_link_is_replaced(story: Story) -> None:
    """What was recorded by hand before the link is the portal's, and replaced."""
    story.add_client()
    story.record_member("m1", name="Ann", relationship="Chair")
    story.run_import("i1", "p1-Director", name="Anna")
    story.link("p1-Director", "m1")

    assert story.member("m1")["details"] == {"name": "Anna", "relationship": "Director"}


@pytest.mark.parametrize("by_import", [True, False])
def test_a_co_owners_email_is_never_touched(story: Story, by_import: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A co-owner's `email` is kept, its provenance stays, and what XPM has is remembered, e-mail or not."""
    story.add_client()
    story.record_member("m1", name="Ann", email="Ann@a.example", co_owner=True)
    story.run_import("i1", "p1-Director", name="Ann", email="xpm@a.example")
    assert story.link("p1-Director", "m1").replaced == frozenset()
    if by_import:
        assert bring(story, email="nobody").replaced == frozenset()

    assert story.member("m1")["details"]["email"] == "Ann@a.example"
    assert provenance(story, "email") == {"by": "portal", "xpm": "nobody" if by_import else "xpm@a.example"}
    assert story.emails() == {"ann@a.example": "m1"}
    assert story.member("m1")["co_owner"]


def test_a_co_owners_email_from_xpm_stays_as_it_was(story: Story) -> None:
    """Whatever its provenance: one that came from XPM stays XPM's, though XPM has another by now."""
    story.add_client()
    story.run_import("i1", "p1-Director", email="ann@a.example")
    story.import_item("p1-Director", co_owner=True)
    story.run_import("i2", "p1-Director", email="new@a.example")

    member = story.member(story.party_link("p1")["member_id"])
    assert member["details"]["email"] == "ann@a.example"
    assert member["provenance"]["email"] == {"by": "xpm", "xpm": "new@a.example"}


def test_an_attached_items_word_is_not_spoken_of(linked: Story) -> None:
    """The relationship word that XPM has is not forgotten because an attached item brought only details."""
    bring(linked, "p1-Trustee")

    assert linked.member("m1")["details"]["relationship"] == "Director"
    assert provenance(linked, "relationship") == {"by": "xpm", "xpm": "Director"}


def test_older_details_forget_nothing(linked: Story) -> None:
    """Details that are not taken, because a later import gave some, neither replace nor make forget."""
    earlier, later = linked.start("i2"), linked.start("i3")
    later.item("p1-Trustee", name="Ann", title="Dr")
    earlier.item("p1-Director", name="Earlier")

    assert linked.member("m1")["details"]["name"] == "Ann"
    assert provenance(linked, "title") == {"by": "xpm", "xpm": "Dr"}
