"""What a form comes to: no more than what was changed, and words beside the field."""

import pytest
from pydantic import ValidationError
from starlette.datastructures import FormData

from schemas.outcomes import OutcomeRecorded, Version
from schemas.people import AmendedPerson
from services.portal.console import wording
from services.portal.console.forms import amended, problems_of, refusal, text
from services.portal.console.previews import Difference, Line, changed_since, preview
from services.portal.records import Item, Member

SHOWN = {"name": "Ann", "email": "ann@oak.example", "phone": "1"}


def test_only_what_was_changed_is_sent() -> None:
    """A field that was emptied is cleared; one that the form does not have stays as it is."""
    typed = {"name": "Ann", "email": "", "title": "Ms"}

    assert amended(typed, SHOWN, ("name", "email", "phone", "title")) == {"email": None, "title": "Ms"}


def test_line_breaks_that_no_browser_sends_are_no_change() -> None:
    """A field of one line comes back without them; an address keeps its lines, and may be changed."""
    shown = {"name": "Ann\nOak", "address": "1 Quarry Lane\nFernleigh"}

    assert amended({**shown, "name": "AnnOak"}, shown, ("name", "address")) == {}
    assert amended({"address": "1 Quarry Lane"}, shown, ("address",)) == {"address": "1 Quarry Lane"}


def test_every_line_break_is_one_character() -> None:
    """Browsers send two."""
    assert (
        text(FormData({"address": " 1 Quarry Lane\r\nFernleigh "}), "address") == "1 Quarry Lane\nFernleigh"
    )


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("address", "Unit 4,\n18 Quarry Lane\n\nFernleigh", "Unit 4, 18 Quarry Lane, Fernleigh"),
        ("date_of_birth", "1978-04-09", "9 Apr 1978"),
        ("date_of_birth", "in spring", "in spring"),
        ("name", "1978-04-09", "1978-04-09"),
    ],
)
def test_lists_show_a_detail_in_one_line(field: str, value: str, shown: str) -> None:
    assert wording.value(field, value) == shown


def test_what_is_wrong_stands_beside_its_field() -> None:
    with pytest.raises(ValidationError) as caught:
        AmendedPerson.model_validate({"name": "x" * 301, "date_of_birth": "soon"})

    assert problems_of(caught.value) == {
        "name": "This is too long.",
        "date_of_birth": "This is not as it must be.",
    }


@pytest.mark.parametrize(
    ("reason", "field"), [("email_taken", "email"), ("name_required", "name"), ("already_decided", "")]
)
def test_a_refusal_stands_beside_the_field_it_speaks_of(reason: str, field: str) -> None:
    outcome = OutcomeRecorded(
        partition=0, version=Version(offset=1, swap=0), result="rejected", reason=reason, message="No."
    )

    assert refusal(outcome) == {field: "No."}


def test_what_changed_since_is_told_field_by_field() -> None:
    present = {"name": "Ann", "email": "ann@elm.example", "title": "Ms"}

    assert changed_since(SHOWN, present) == [
        Difference("title", None, "Ms"),
        Difference("email", "ann@oak.example", "ann@elm.example"),
        Difference("phone", "1", None),
    ]


def person(*, co_owner: bool) -> Member:
    return Member(
        member_id="m",
        client_id="c",
        co_owner=co_owner,
        details={"name": "Annie", "email": "annie@oak.example", "phone": "2"},
        provenance={},
        digest="",
        source="portal",
        decided_by=None,
        decided_at=None,
        ties=(),
    )


ITEM = Item(
    item_id="i",
    client_id="c",
    xpm_party_id="p",
    state="pending",
    reason=None,
    personal={"name": "Ann", "email": "ann@oak.example"},
    relationship={"type": "Director"},
    archived=False,
    stub=False,
    details_as_of=None,
    digest="",
    member_id=None,
    decided_by=None,
    decided_at=None,
    ignored_before=False,
)


def test_a_preview_shows_what_a_link_replaces_and_what_stays() -> None:
    """XPM's values replace; what XPM does not have stays."""
    assert preview(ITEM, person(co_owner=False)) == [
        Line("name", "Annie", "Ann"),
        Line("relationship", None, "Director"),
        Line("email", "annie@oak.example", "ann@oak.example"),
        Line("phone", "2", "2"),
    ]


def test_a_co_owners_e_mail_stays() -> None:
    """And the preview says why."""
    (email,) = [line for line in preview(ITEM, person(co_owner=True)) if line.field == "email"]

    assert (email.after, email.kept) == ("annie@oak.example", "a co-owner's e-mail stays")
