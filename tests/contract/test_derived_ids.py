"""Ids and digests that are derived are on the wire and in the journal for ever: the same for ever."""

import json
from uuid import uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.fields import milliseconds, timestamp
from schemas.ids import NAMESPACE, derived_id, item_id
from schemas.seen import item_digest, member_digest

PERSON = {"name": "Wren Adeyemi", "email": "wren@tidewater.example", "title": None}
DIRECTOR = {
    "type": "Director",
    "xpm_relationship_id": "5520113",
    "number_of_shares": 60,
    "percentage": "60.0",
}


def test_derived_ids_stay_as_they_are() -> None:
    """Whoever makes them in another language, or in ten years, gets these."""
    assert str(NAMESPACE) == "6f0a7d0e-3c55-5d0e-9a4b-6d7573746572"
    assert derived_id("harbour-lane") == "ece3b9da-4209-5312-b909-a5499046f692"
    assert derived_id("harbour-lane", "member", "c1") == "54887471-e79e-5c9d-a900-60283972c880"
    assert derived_id("harbour-lane", "progress", 3, None, "é") == "f4c84d26-50ca-5123-8739-dc11c9b4fcc6"


@given(st.lists(st.text(max_size=40) | st.integers(-(2**63), 2**63 - 1) | st.none(), max_size=4))
def test_derived_ids_are_version_5_of_their_parts_as_json(parts: list[str | int | None]) -> None:
    """So any language's library makes them."""
    name = json.dumps(["harbour-lane", *parts], ensure_ascii=False, separators=(",", ":"))

    assert derived_id("harbour-lane", *parts) == str(uuid5(NAMESPACE, name))


def test_item_ids_stay_as_they_are() -> None:
    """By XPM's id of the relationship; without one by party, type and start date."""
    known = {"xpm_party_id": "p1", "relationship_type": "Director", "start_date": "2019-07-01"}

    assert (
        item_id("harbour-lane", "client-1042", xpm_relationship_id="5520113", **known)
        == "36600bdf-90c2-5cfa-b946-f5a66a10084e"
    )
    assert (
        item_id("harbour-lane", "client-1042", xpm_relationship_id=None, **known)
        == "9964c9d4-afaf-5573-baa4-5e742d5fecc5"
    )


def test_every_part_of_an_id_counts() -> None:
    """No two things of any two tenants share an id, however their parts are cut."""
    known = {"xpm_party_id": "p", "relationship_type": "t", "start_date": None}
    ids = [
        derived_id("a", "b"),
        derived_id("a", "b", None),
        derived_id("ab"),
        derived_id("a", "b", ""),
        derived_id('a","b'),
        derived_id("a", "1"),
        derived_id("a", 1),
        item_id("t", "c", xpm_relationship_id="r", **known),
        item_id("u", "c", xpm_relationship_id="r", **known),
        item_id("t", "d", xpm_relationship_id="r", **known),
        item_id("t", "c", xpm_relationship_id=None, **known),
        item_id("t", "c", xpm_relationship_id=None, **known | {"start_date": "2019-07-01"}),
        item_id("t", "c", xpm_relationship_id=None, **known | {"relationship_type": "u"}),
        item_id("t", "c", xpm_relationship_id=None, **known | {"xpm_party_id": "q"}),
    ]

    assert len(set(ids)) == len(ids)


def test_what_was_seen_keeps_its_digest() -> None:
    """A decision carries the digest that somebody was shown, perhaps days and releases ago."""
    assert item_digest(PERSON, DIRECTOR, archived=False, stub=False) == "4f72db7518672a03f70402b9a6cae443"
    assert item_digest(PERSON, DIRECTOR, archived=True, stub=False) == "c66d75c2449608d2b44b237dce128663"
    assert item_digest(PERSON, DIRECTOR, archived=False, stub=True) == "8b26efb25325f3e27d1477bb16dff3d1"
    assert member_digest(PERSON, co_owner=False) == "9afc1a6e12289d8672881ed8926c7116"
    assert member_digest(PERSON, co_owner=True) == "20c3af73c3a0e2b5d67bc3eb0f3e1068"
    assert member_digest({"name": "Zoë 😀"}, co_owner=False) == "3fc02395c4c60a071fa17e9446358c59"


def test_what_is_not_there_counts_as_nothing() -> None:
    """Absent and null look the same to a person, and so does the order of fields."""
    bare = {name: value for name, value in PERSON.items() if value is not None}
    backwards = dict(reversed(PERSON.items()))

    assert member_digest(bare, co_owner=True) == member_digest(backwards, co_owner=True)
    assert item_digest(bare, DIRECTOR, archived=False, stub=False) == item_digest(
        backwards, DIRECTOR | {"end_date": None}, archived=False, stub=False
    )


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_795_424_400_123, "2026-11-23T09:00:00.123Z"),
        (32_503_679_999_999, "2999-12-31T23:59:59.999Z"),
    ],
)
def test_a_broker_timestamp_is_written_and_read_without_loss(at: int, text: str) -> None:
    """Milliseconds are all there is, at either end of what the wire can say."""
    assert timestamp(at) == text
    assert milliseconds(text) == at


@pytest.mark.parametrize(("text", "at"), [("2026-11-23T09:00:00Z", 0), ("2026-11-23T09:00:00.1239Z", 123)])
def test_what_is_finer_than_a_millisecond_is_cut_off(text: str, at: int) -> None:
    """Nothing is rounded into the future."""
    assert milliseconds(text) == 1_795_424_400_000 + at
