"""The rules of `ClientAdded`."""

import pytest

from tests.support.resolving.story import Story


def test_a_new_client_needs_a_name(story: Story) -> None:
    """1. A new client without a name: `name_required`."""
    assert story.amend_client(title="Ms").reason == "name_required"
    assert story.client() == {}


def test_a_known_client_is_amended_without_a_name(story: Story) -> None:
    """The same client id again amends: what is absent is unchanged, null is cleared."""
    story.add_client(title="Ms", phone="1")
    story.amend_client(title=None, website="acme.example")

    assert story.client()["details"] == {"name": "Acme", "phone": "1", "website": "acme.example"}
    assert story.client()["xpm_client_id"] == "x-c1"


def test_an_xpm_client_belongs_to_one_client(story: Story) -> None:
    """2. An `xpm_client_id` that another client of the tenant has: `xpm_client_taken`."""
    story.add_client("c1", xpm_client_id="x1")

    assert story.add_client("c2", xpm_client_id="x1").reason == "xpm_client_taken"
    assert story.amend_client("c1", xpm_client_id="x1").result == "applied"
    assert story.of_tenant("south").add_client("c2", xpm_client_id="x1").result == "applied"


def test_an_xpm_client_that_was_given_up_is_free(story: Story) -> None:
    """What a client no longer has, another may have."""
    story.add_client("c1", xpm_client_id="x1")
    story.amend_client("c1", xpm_client_id=None)

    assert story.add_client("c2", xpm_client_id="x1").result == "applied"


@pytest.mark.parametrize("field", ["account_email", "email"])
def test_an_email_has_to_be_one(story: Story, field: str) -> None:
    """3. `account_email` or `email` that is not an e-mail: `email_invalid`."""
    assert story.add_client(**{field: "nobody"}).reason == "email_invalid"


def test_an_account_email_is_held_by_one(story: Story) -> None:
    """4. `account_email` that a member or another client of the tenant holds, in whatever case: `email_taken`."""
    story.add_client("c1", account_email="ann@a.example")
    story.record_member("m1", name="Bob", email="bob@b.example", co_owner=True)

    assert story.add_client("c2", account_email="ANN@A.example").reason == "email_taken"
    assert story.add_client("c2", account_email="BOB@b.example").reason == "email_taken"
    assert story.amend_client("c1", account_email="bob@b.example").reason == "email_taken"
    assert story.amend_client("c1", account_email="Ann@a.example").result == "applied"
    assert story.client("c1")["account_email"] == "Ann@a.example"


def test_only_sign_ins_are_held(story: Story) -> None:
    """A client's `email` and the e-mail of a member that is no co-owner are held by nobody."""
    story.add_client("c1", email="ann@a.example")
    story.record_member("m1", name="Bob", email="ann@a.example")

    assert story.add_client("c2", account_email="ann@a.example").result == "applied"
    assert story.emails() == {"ann@a.example": None}


def test_an_old_account_email_is_free_again(story: Story) -> None:
    """5. The old `account_email` is free again, the new one is held by the client."""
    story.add_client("c1", account_email="Ann@a.example")
    story.amend_client("c1", account_email="bob@b.example")
    assert story.emails() == {"bob@b.example": None}

    story.amend_client("c1", account_email=None)
    assert story.emails() == {}
    assert story.client("c1")["account_email"] is None


def test_fields_of_the_portal_say_so(story: Story) -> None:
    """5. Fields sent have provenance `portal`; a cleared field has none; `account_email` is no detail."""
    story.add_client(title="Ms", phone="1", account_email="ann@a.example")
    story.amend_client(phone=None, gender=None)

    assert story.client()["details"] == {"name": "Acme", "title": "Ms"}
    assert story.client()["provenance"] == {"name": {"by": "portal"}, "title": {"by": "portal"}}


def test_an_unchanged_field_keeps_its_provenance(story: Story) -> None:
    """5. A field sent with the value it already has keeps its provenance."""
    story.add_client()
    story.start("i1").entity(title="Ms", phone="1")
    story.amend_client(title="Ms", phone="2")

    assert story.client()["provenance"]["title"] == {"by": "xpm"}
    assert story.client()["provenance"]["phone"] == {"by": "portal"}


@pytest.mark.parametrize("xpm_client_id", ["x2", None])
def test_another_xpm_client_ends_what_came_of_the_old_one(story: Story, xpm_client_id: str | None) -> None:
    """6. Another `xpm_client_id`, or none: pending items are withdrawn, all links end; the two starts stay."""
    story.add_client()
    run = story.run_import("i1", "p1-Director", "p1-Trustee", "p2-Spouse", "p3-Spouse")
    story.start("i2").entity()
    story.import_item("p1-Director")
    story.ignore("p3-Spouse")
    story.amend_client(xpm_client_id=xpm_client_id)

    for tie in ("p1-Director", "p1-Trustee", "p2-Spouse"):
        item = story.item(tie)
        assert (item["state"], item["reason"]) == ("withdrawn", "client_repointed")
        assert item["member_id"] is item["attached_by"] is item["decided_by"] is item["decided_at"] is None
    assert story.item("p3-Spouse")["state"] == "ignored"
    assert story.rows("links") == []
    assert story.client()["staged_from"] == run.at
    assert story.client()["details_from"] == run.at + 6


def test_the_same_xpm_client_changes_nothing(story: Story) -> None:
    """6. The `xpm_client_id` that it has, or none sent: nothing ends."""
    story.add_client()
    story.run_import("i1", "p1-Director")
    story.amend_client(xpm_client_id="x-c1", title="Ms")
    story.amend_client(title="Mr")

    assert story.item("p1-Director")["state"] == "pending"


def test_a_first_xpm_client_ends_nothing(story: Story) -> None:
    """6. A client that had no `xpm_client_id` is linked without further ado."""
    story.add_client(xpm_client_id=None)
    story.amend_client(xpm_client_id="x-c1")

    assert story.client()["xpm_client_id"] == "x-c1"
