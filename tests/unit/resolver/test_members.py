"""The rules of `MemberRecorded`, `MemberRemoved`, and of the end of a link."""

from tests.support.resolving.story import Story


def test_a_member_needs_its_client(story: Story) -> None:
    """1. Unknown client: `client_not_found`; another tenant's is unknown too."""
    story.of_tenant("south").add_client("c1")

    assert story.record_member(name="Ann").reason == "client_not_found"


def test_a_member_stays_with_its_client(story: Story) -> None:
    """1. A member of another client: `member_not_found`."""
    story.add_client("c1")
    story.add_client("c2")
    story.record_member("m1", "c1", name="Ann")

    assert story.record_member("m1", "c2", name="Bob").reason == "member_not_found"
    assert story.member("m1")["details"] == {"name": "Ann"}


def test_a_removed_member_is_not_amended(story: Story) -> None:
    """1. A removed member: `member_removed`."""
    story.add_client()
    story.record_member(name="Ann")
    story.remove_member()

    assert story.record_member(name="Bob").reason == "member_removed"


def test_a_new_member_needs_a_name(story: Story) -> None:
    """2. A new member without a name: `name_required`; a known one is amended without."""
    story.add_client()
    assert story.record_member(title="Ms").reason == "name_required"

    story.record_member(name="Ann")
    assert story.record_member(title="Ms").result == "applied"


def test_a_members_email_has_to_be_one(story: Story) -> None:
    """3. `email` that is not an e-mail: `email_invalid`, co-owner or not."""
    story.add_client()

    assert story.record_member(name="Ann", email="nobody").reason == "email_invalid"


def test_a_co_owner_needs_an_email(story: Story) -> None:
    """4. A co-owner without an e-mail: `email_required`, when it becomes one and when the e-mail is cleared."""
    story.add_client()
    assert story.record_member(name="Ann", co_owner=True).reason == "email_required"

    story.record_member(name="Ann", email="ann@a.example", co_owner=True)
    assert story.record_member(email=None).reason == "email_required"
    assert story.record_member(email=None, co_owner=False).result == "applied"


def test_a_co_owner_needs_a_real_email(story: Story) -> None:
    """4. An e-mail of a co-owner that is not one, because it came from XPM: `email_invalid`."""
    story.add_client()
    story.record_member(name="Ann")
    story.run_import("i1", "p1-Director", email="nobody")
    story.link("p1-Director", "m1")

    assert story.record_member(co_owner=True).reason == "email_invalid"


def test_co_owners_have_an_email_each(story: Story) -> None:
    """4. An e-mail that another member or a client holds, in whatever case: `email_taken`."""
    story.add_client("c1", account_email="ann@a.example")
    story.add_client("c2")
    story.record_member("m1", "c1", name="Bob", email="bob@b.example", co_owner=True)
    story.record_member("m2", "c2", name="Cy", email="BOB@b.example")

    assert story.record_member("m1", email="ANN@a.example").reason == "email_taken"
    assert story.record_member("m2", "c2", co_owner=True).reason == "email_taken"
    assert story.record_member("m1", email="Bob@B.example").result == "applied"


def test_co_ownership_stays_unless_it_is_sent(story: Story) -> None:
    """4. `co_owner` absent or null: as before; a new member is none."""
    story.add_client()
    story.record_member("m1", name="Ann", email="ann@a.example", co_owner=True)
    story.record_member("m1", co_owner=None)
    story.record_member("m2", name="Bob", co_owner=None)

    assert story.member("m1")["co_owner"] is True
    assert story.member("m2")["co_owner"] is False


def test_fields_of_an_unlinked_member_are_the_portals(story: Story) -> None:
    """5. Without a link the provenance is `portal`, the relationship's too; a cleared field has none."""
    story.add_client()
    story.record_member(name="Ann", title="Ms", relationship="Director")
    story.record_member(title=None)

    assert story.member()["details"] == {"name": "Ann", "relationship": "Director"}
    assert story.member()["provenance"] == {"name": {"by": "portal"}, "relationship": {"by": "portal"}}


def test_what_staff_change_on_a_linked_member_is_theirs(story: Story) -> None:
    """5. On a linked member a changed field is `staff`, also when cleared, and what XPM has is remembered."""
    story.add_client()
    story.record_member(name="Ann", phone="1")
    story.run_import("i1", "p1-Director", name="Anna", title="Ms")
    story.link("p1-Director", "m1")
    story.record_member(name="Anni", title=None, phone="2", gender="x", relationship="Trustee")

    assert story.member()["details"] == {
        "name": "Anni",
        "phone": "2",
        "gender": "x",
        "relationship": "Trustee",
    }
    assert story.member()["provenance"] == {
        "name": {"by": "staff", "xpm": "Anna"},
        "title": {"by": "staff", "xpm": "Ms"},
        "phone": {"by": "staff"},
        "gender": {"by": "staff"},
        "relationship": {"by": "staff", "xpm": "Director"},
    }


def test_an_unchanged_field_of_a_linked_member_keeps_its_provenance(story: Story) -> None:
    """5. A field sent with the value it already has keeps its provenance; so does one that stays without."""
    story.add_client()
    story.record_member(name="Ann", phone="1")
    story.run_import("i1", "p1-Director", name="Anna")
    story.link("p1-Director", "m1")
    story.record_member(name="Anna", phone="1", gender=None)

    assert story.member()["provenance"] == {
        "name": {"by": "xpm", "xpm": "Anna"},
        "phone": {"by": "portal"},
        "relationship": {"by": "xpm", "xpm": "Director"},
    }


def test_an_unchanged_field_of_an_unlinked_member_keeps_its_provenance(story: Story) -> None:
    """5. What came from XPM stays XPM's after the link, until it is changed."""
    story.add_client()
    story.record_member(name="Ann")
    story.run_import("i1", "p1-Director", name="Anna", title="Ms")
    story.link("p1-Director", "m1")
    story.amend_client(xpm_client_id=None)
    story.record_member(name="Anna", title="Mr")

    assert story.member()["provenance"]["name"] == {"by": "xpm"}
    assert story.member()["provenance"]["title"] == {"by": "portal"}


def test_only_a_co_owner_holds_its_email(story: Story) -> None:
    """6. A co-owner holds its e-mail, normalised; a member that is none holds nothing."""
    story.add_client()
    story.record_member("m1", name="Ann", email="Ann@A.example", co_owner=True)
    story.record_member("m2", name="Bob", email="bob@b.example")
    assert story.emails() == {"ann@a.example": "m1"}

    story.record_member("m1", email="cy@c.example")
    assert story.emails() == {"cy@c.example": "m1"}

    story.record_member("m1", co_owner=False)
    assert story.emails() == {}
    assert story.member("m1")["details"]["email"] == "cy@c.example"


def test_an_email_moves_from_member_to_member(story: Story) -> None:
    """An e-mail that is free again can be taken by the next, in another client too."""
    story.add_client("c1")
    story.add_client("c2")
    story.record_member("m1", "c1", name="Ann", email="ann@a.example", co_owner=True)
    story.record_member("m1", "c1", email="old@a.example")

    assert (
        story.record_member("m2", "c2", name="Ann", email="ANN@a.example", co_owner=True).result == "applied"
    )
    assert story.emails() == {"ann@a.example": "m2", "old@a.example": "m1"}


def test_a_removal_names_a_member_that_is_there(story: Story) -> None:
    """Unknown client; unknown or another client's member; removed before: three reasons."""
    story.add_client("c1")
    story.add_client("c2")
    story.record_member("m1", "c1", name="Ann")

    assert story.remove_member("m1", "c9").reason == "client_not_found"
    assert story.remove_member("m9", "c1").reason == "member_not_found"
    assert story.remove_member("m1", "c2").reason == "member_not_found"
    assert story.remove_member("m1", "c1").result == "applied"
    assert story.remove_member("m1", "c1").reason == "member_removed"


def test_a_removed_member_holds_nothing(story: Story) -> None:
    """It is marked, holds no e-mail, is no co-owner, and keeps its details."""
    story.add_client()
    story.record_member(name="Ann", email="ann@a.example", co_owner=True)
    story.remove_member()

    assert (story.member()["removed"], story.member()["co_owner"]) == (True, False)
    assert story.member()["details"] == {"name": "Ann", "email": "ann@a.example"}
    assert story.emails() == {}


def test_the_link_of_a_removed_member_ends(story: Story) -> None:
    """Its imported, linked and attached items are withdrawn with the reason, so that the person can come back."""
    story.add_client()
    story.record_member(name="Ann")
    story.run_import("i1", "p1-Director", "p1-Trustee", "p2-Spouse")
    story.link("p1-Director", "m1")
    story.import_item("p2-Spouse")
    story.remove_member("m1")

    for tie in ("p1-Director", "p1-Trustee"):
        item = story.item(tie)
        assert (item["state"], item["reason"]) == ("withdrawn", "member_removed")
        assert item["member_id"] is item["attached_by"] is item["decided_by"] is item["decided_at"] is None
    assert story.party_link("p1") == {}
    assert story.item("p2-Spouse")["state"] == "imported"
    assert story.party_link("p2") != {}


def test_after_the_link_nothing_is_staffs_and_xpm_is_forgotten(story: Story) -> None:
    """`staff` becomes `portal`, what XPM has is forgotten, and a field without a value loses its provenance."""
    story.add_client()
    story.record_member(name="Ann")
    story.run_import("i1", "p1-Director", name="Anna", title="Ms", phone="1")
    story.link("p1-Director", "m1")
    story.record_member(name="Anni", title=None)
    story.remove_member()

    assert story.member()["provenance"] == {
        "name": {"by": "portal"},
        "phone": {"by": "xpm"},
        "relationship": {"by": "xpm"},
    }


def test_the_person_comes_back(story: Story) -> None:
    """After the end of a link the next import brings the item again, and it can be decided again."""
    story.add_client()
    story.run_import("i1", "p1-Director")
    story.import_item("p1-Director")
    first = story.party_link("p1")["member_id"]
    story.remove_member(first)
    story.run_import("i2", "p1-Director")
    assert (story.item("p1-Director")["state"], story.item("p1-Director")["reason"]) == ("pending", None)

    story.import_item("p1-Director")
    assert story.party_link("p1")["member_id"] != first
