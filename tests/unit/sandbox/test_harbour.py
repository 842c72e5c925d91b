"""The hand-written practice keeps the story that demonstrations tell with it."""

from sandbox import harbour


def test_northlight_has_the_relationships_of_the_story():
    """Two directors, one of them a shareholder too, and one of each case that an import treats differently."""
    practice = harbour.harbour_practice()
    northlight = practice.parties[harbour.NORTHLIGHT]

    assert [(tie.type, tie.party_uuid) for tie in northlight.relationships] == [
        ("Director", harbour.MARA),
        ("Shareholder", harbour.MARA),
        ("Director", harbour.TOMAS),
        ("Shareholder", harbour.HOLDINGS),
        ("Secretary", harbour.PRIYA),
        ("Director", harbour.GORDON),
        ("Auditor", harbour.WREN),
        ("Public Officer", harbour.OKAFOR),
    ]
    assert harbour.OKAFOR not in practice.parties
    assert practice.parties[harbour.GORDON].deleted
    assert practice.parties[harbour.WREN].archived


def test_every_tie_but_the_dangling_one_leads_to_a_record():
    """Hand-written ids are easily mistyped."""
    practice = harbour.harbour_practice()
    ends = {tie.party_uuid for party in practice.parties.values() for tie in party.relationships}

    assert {harbour.OKAFOR} == ends - practice.parties.keys()


def test_every_copy_is_fresh():
    """Changes to one sandbox never show in another."""
    harbour.harbour_practice().remove(harbour.MARA)

    assert harbour.MARA in harbour.harbour_practice().parties
