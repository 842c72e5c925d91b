"""What the party at the other end is to the client."""

import pytest

from services.importer.xpm.directions import STANDARD, Direction, direction

OFFICIAL = (
    "Director, Shareholder, Trustee, Beneficiary, Partner, Settlor, Associate, Secretary, Public Officer, Husband, "
    "Wife, Spouse, Parent Of, Child Of, Appointer, Member, Auditor, Owner"
)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Director", Direction("Director", "party", "Director")),
        ("Director Of", Direction("Director", "client", "Company directed")),
        ("Parent Of", Direction("Parent", "client", "Child")),
        ("Child Of", Direction("Child", "client", "Parent")),
        ("Husband", Direction("Husband", "party", "Husband")),
        ("Spouse", Direction("Spouse", "both", "Spouse")),
    ],
)
def test_a_bare_role_is_the_partys_and_one_with_of_the_clients(word, expected):
    """On a company's record "Director" names its director; on a person's, "Director Of" names the company."""
    assert direction(word) == expected


@pytest.mark.parametrize("word", ["appointor OF", "  APPOINTER   of ", "Appointor Of"])
def test_spelling_case_and_blanks_make_no_difference(word):
    """Both spellings of appointer are in use."""
    assert direction(word) == Direction("Appointer", "client", "Trust")


def test_every_word_of_the_published_list_is_known():
    """The list of the API's documentation, as it stands there."""
    assert all(direction(word) for word in OFFICIAL.split(", "))


def test_an_unknown_word_has_no_direction():
    """It is shown as it is."""
    assert direction("Godparent") is None


def test_a_practice_can_correct_the_table():
    """The evidence is indirect, so the table is data."""
    corrected = {**STANDARD, "husband": Direction("Husband", "client", "Wife")}

    assert direction("Husband", corrected) == Direction("Husband", "client", "Wife")
