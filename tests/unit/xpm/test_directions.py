"""What the party at the other end is to the client."""

import pytest
from pydantic import TypeAdapter, ValidationError

from services.importer.xpm.directions import (
    STANDARD,
    Direction,
    contradictions,
    corrected,
    direction,
    distinct,
    fact,
)
from services.importer.xpm.records import Client, Details, Relationship

OFFICIAL = (
    "Director, Shareholder, Trustee, Beneficiary, Partner, Settlor, Associate, Secretary, Public Officer, Husband, "
    "Wife, Spouse, Parent Of, Child Of, Appointer, Member, Auditor, Owner"
)


def reading(role, holder, party_is) -> Direction:
    return Direction(role=role, holder=holder, party_is=party_is)


def tie(word, party="mara", **more) -> Relationship:
    return Relationship(type=word, xpm_party_id=party, **more)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Director", reading("Director", "party", "Director")),
        ("Director Of", reading("Director", "client", "Company directed")),
        ("Parent Of", reading("Parent", "client", "Child")),
        ("Child Of", reading("Child", "client", "Parent")),
        ("Husband", reading("Husband", "party", "Husband")),
        ("Spouse", reading("Spouse", "both", "Spouse")),
    ],
)
def test_a_bare_role_is_the_partys_and_one_with_of_the_clients(word, expected):
    """On a company's record "Director" names its director; on a person's, "Director Of" names the company."""
    assert direction(word) == expected


@pytest.mark.parametrize("word", ["appointor OF", "  APPOINTER   of ", "Appointor Of"])
def test_spelling_case_and_blanks_make_no_difference(word):
    """Both spellings of appointer are in use."""
    assert direction(word) == reading("Appointer", "client", "Trust")


def test_every_word_of_the_published_list_is_known():
    """The list of the API's documentation, as it stands there."""
    assert all(direction(word) for word in OFFICIAL.split(", "))


def test_an_unknown_word_has_no_direction():
    """It is shown as it is."""
    assert direction("Godparent") is None


def test_a_practice_can_correct_the_table():
    """The evidence is indirect, so the table is data: other words stay as they are."""
    table = corrected(
        {" HUSBAND": reading("Husband", "client", "Wife"), "Guarantor": reading("Guarantor", "party", "x")}
    )

    assert direction("Husband", table) == reading("Husband", "client", "Wife")
    assert direction("guarantor", table) == reading("Guarantor", "party", "x")
    assert direction("Director", table) == STANDARD["director"]
    assert direction("Guarantor") is None


def test_a_correction_is_data_from_outside():
    """It comes from the environment, so what makes no sense is refused."""
    corrections = TypeAdapter(dict[str, Direction])
    good = '{"Husband": {"role": "Husband", "holder": "client", "party_is": "Wife"}}'

    assert corrections.validate_json(good) == {"Husband": reading("Husband", "client", "Wife")}
    for bad in (good.replace("client", "me"), good.replace("party_is", "partyis"), '{"Husband": "client"}'):
        with pytest.raises(ValidationError):
            corrections.validate_json(bad)


def test_a_fact_is_the_same_in_every_spelling():
    """Whatever its id: the spelling of the word, and blanks in it, are nobody's meaning."""
    assert fact(tie("Appointer Of", xpm_relationship_id="1")) == fact(tie(" appointor  OF"))
    assert fact(tie("Director")) != fact(tie("Director Of"))
    assert fact(tie("Godparent")) == fact(tie("godparent")) != fact(tie("Godparent Of"))


def test_a_corrected_table_decides_what_is_said_twice():
    """A practice that means the same by two words sees one of them."""
    ties = [tie("Spouse"), tie("De facto")]
    table = corrected({"de facto": STANDARD["spouse"]})

    assert distinct(ties) == ties
    assert distinct(ties, table) == ties[:1]


def test_nobody_is_director_of_a_person():
    """Where the words say so, they are meant the other way round, and a correction settles it."""

    def record(uuid, structure, *ties):
        return Client(xpm_client_id=uuid, details=Details(business_structure=structure), relationships=ties)

    company = record(
        "co", "Company", tie("Director Of", "jo"), tie("Shareholder Of", "nobody"), tie("Auditor", "jo")
    )
    jo = record(
        "jo", "Individual", tie("Director", "co"), tie("Spouse", "sam"), tie("Parent Of", "max"), tie("Odd")
    )
    table = corrected(
        {"Director": reading("Director", "client", "x"), "Director Of": reading("Director", "party", "x")}
    )

    assert contradictions(company, {"jo": jo}) == 1
    assert contradictions(jo, {"co": company}) == 1
    assert contradictions(company, {"jo": jo}, table) == contradictions(jo, {"co": company}, table) == 0
