"""A tie stands on both records, in words that belong together."""

import pytest

from sandbox import pairs
from sandbox.practice import Party, Practice, Relationship
from services.importer.xpm.directions import direction


@pytest.fixture
def practice() -> Practice:
    names = {"co": "Bloggs Ltd", "jo": "Jo", "sam": "Sam"}
    fields = {uuid: {"Name": name} for uuid, name in names.items()}
    fields["jo"]["Gender"], fields["sam"]["Gender"] = "Female", "Male"
    return Practice("p", [Party(uuid, dict(given)) for uuid, given in fields.items()])


def row(word, party, uuid="r1"):
    return Relationship(uuid, word, party, party)


@pytest.mark.parametrize("word", pairs.WORDS)
def test_opposites_are_opposites(word, practice):
    """Of whatever XPM offers; and the client reads both sides as one fact."""
    there = pairs.opposite(word, practice.parties["jo"])
    here, back = direction(word), direction(there)

    assert pairs.opposite(there, practice.parties["sam"]) in (word, "Husband", "Wife", "Spouse")
    assert here is not None
    assert back is not None
    if word not in ("Husband", "Wife"):
        assert {here.holder, back.holder} in ({"party", "client"}, {"both"}, {"client"})


@pytest.mark.parametrize(
    ("word", "there"),
    [
        ("Husband", "Wife"),
        ("Director", "Director Of"),
        (" director OF", "Director"),
        ("Guarantor", "Guarantor"),
    ],
)
def test_the_other_record_says_it_in_the_opposite_word(practice, word, there):
    """Jo's husband is Sam, so Sam's wife is Jo; a word that nobody listed stands on both."""
    pairs.relate(practice, "jo", row(word, "sam"), None, both=True)

    (back,) = practice.parties["sam"].relationships
    assert (back.type, back.party_uuid) == (there, "jo")
    assert pairs.counterpart(practice, "jo", "r1") == ("sam", back.uuid)


def test_the_same_id_on_both_records_is_the_counterpart(practice):
    """Whatever the words."""
    practice.relate("jo", row("Whatever", "co"))
    practice.relate("co", row("Else", "jo", "r0"))
    practice.relate("co", row("Else", "jo"))

    assert pairs.counterpart(practice, "jo", "r1") == ("co", "r1")


def test_without_a_counterpart_only_one_record_changes(practice):
    """One-sided ties, and those that lead nowhere."""
    practice.relate("jo", row("Director Of", "co"))
    practice.relate("jo", row("Director Of", "nobody", "r2"))
    for uuid in ("r1", "r2"):
        assert pairs.counterpart(practice, "jo", uuid) is None
        pairs.unrelate(practice, "jo", uuid, None, both=True)

    assert practice.parties["jo"].relationships == []
