"""Made-up practices: the same for the same seed, of any size, and with everything that real ones hold."""

import hashlib
from collections import Counter
from dataclasses import replace

import pytest
from lxml import etree

from sandbox.document import Printer
from sandbox.mix import Mix
from sandbox.practice import Party, Practice, Relationship
from sandbox.seeded import seeded_practice
from sandbox.ties import CannotFill
from services.importer.xpm.directions import contradictions
from services.importer.xpm.reader import ClientReader


def printed(practice: Practice) -> str:
    parties = sorted(practice.parties.values(), key=lambda party: party.uuid)
    return "".join(Printer(practice).many_clients("List", parties, "detailed"))


@pytest.fixture(scope="module")
def practice() -> Practice:
    return seeded_practice("tern", 2_000)


@pytest.fixture(scope="module")
def filled() -> Practice:
    return seeded_practice("filled", 1_000, Mix(dangling=1, ended=0, relationships=12))


@pytest.fixture(scope="module")
def parties(practice) -> list[Party]:
    return list(practice.parties.values())


@pytest.fixture(scope="module")
def ties(parties) -> list[Relationship]:
    return [tie for party in parties for tie in party.relationships]


def test_a_seed_gives_the_same_practice_on_every_python():
    """Of chance only that is used which Python promises to keep; whoever changes what is made up changes the digest."""
    digest = hashlib.sha256(printed(seeded_practice("tern", 500)).encode()).hexdigest()

    assert digest == "326a23e0303bb42e30c7c4a9f7d3c59e662fe4a393640ad3285e2f7bb434cf4d"


def test_another_seed_gives_another_practice():
    """Nothing is shared between seeds, not even ids."""
    assert not seeded_practice("a", 50).parties.keys() & seeded_practice("b", 50).parties.keys()


@pytest.mark.parametrize("size", [0, 1, 2, 7, 333])
def test_a_practice_has_exactly_the_size_asked_for(size):
    """A size is a number of client records."""
    assert size == len(seeded_practice("size", size).parties)


def test_every_practice_is_well_formed_xml(practice):
    """Names with `&`, quotes and other scripts are escaped as XML wants."""
    root = etree.fromstring(printed(practice).encode())

    assert len(root.findall("Clients/Client")) == 2_000


def test_both_families_of_words_and_words_outside_the_list_occur(ties):
    """Bare roles, roles with "Of", both spellings of appointer, odd letter case, and words nobody listed."""
    words = {tie.type for tie in ties}

    assert words >= {"Director", "Director Of", "Shareholder", "Shareholder Of", "Trustee", "Trustee Of"}
    assert words >= {"Husband", "Wife", "Spouse", "Parent Of", "Child Of", "Appointer", "Appointor"}
    assert words >= {"director", "DIRECTOR OF", " Director ", "Guarantor"}


def test_several_relationships_tie_the_same_two(parties):
    """A director is often a shareholder too."""
    together = Counter((party.uuid, tie.party_uuid) for party in parties for tie in party.relationships)

    assert max(together.values()) >= 2


def test_nobody_is_director_or_the_like_of_a_person(practice, filled):
    """The client's reading of the words and the practice's structures agree, on both records of every tie."""
    for made_up in (practice, filled):
        printer = Printer(made_up)
        reader = ClientReader()
        document = "".join(printer.many_clients("List", made_up.parties.values(), "detailed"))
        clients = {client.xpm_client_id: client for client in reader.feed(document.encode())}

        assert not any(contradictions(client, clients) for client in clients.values())


def test_most_facts_stand_on_both_records_some_on_one_only(practice, parties):
    """XPM writes a tie twice; whether under one id or two is not known, so both occur."""
    there = {(party.uuid, tie.party_uuid): tie.uuid for party in parties for tie in party.relationships}
    mirrored = [pair for pair in there if pair[::-1] in there]
    same_id = [pair for pair in mirrored if there[pair] == there[pair[::-1]]]

    assert 0.8 * len(there) < len(mirrored) < len(there)
    assert 0 < len(same_id) < len(mirrored)


def test_ended_archived_deleted_and_dangling_ones_occur(practice, parties, ties):
    """The cases that an import leaves out, flags, or stages as a stub."""
    dangling = [tie for tie in ties if tie.party_uuid not in practice.parties]
    ended = [tie for tie in ties if tie.end and tie.end < "2024"]

    assert 0.01 < len(dangling) / len(ties) < 0.04
    assert 0.04 < len(ended) / len(ties) < 0.15
    assert 0.015 < sum(party.archived for party in parties) / len(parties) < 0.05
    assert 0 < sum(party.deleted for party in parties) / len(parties) < 0.03


def test_names_are_not_unique_and_hold_what_names_hold(parties):
    """Duplicates, trustees, quotes, ampersands, and letters outside ASCII."""
    names = [party.name for party in parties]

    assert len(set(names)) < len(names)
    assert any("\n" in name for name in names)
    assert any(name != name.strip() for name in names)
    for part in (" ATF ", "&", '"', "'", "ō", ", "):
        assert any(part in name for name in names), part


def test_fields_are_absent_empty_and_odd(parties):
    """Absent and empty e-mails, several addresses in one field, shared ones, free-text addresses."""
    emails = [str(party.fields["Email"]) for party in parties if "Email" in party.fields]

    assert 0.2 < 1 - len(emails) / len(parties) < 0.4
    assert any("; " in email for email in emails)
    assert any("@" not in email for email in emails)
    assert len(set(emails)) < len(emails)
    assert any(party.fields.get("Address") == "" for party in parties)
    assert any("\n" in str(party.fields.get("Address")) for party in parties)


def test_dates_come_in_three_formats(parties):
    """With dashes, with a time of day, and with neither."""
    dates = [str(party.fields["DateOfBirth"]) for party in parties if "DateOfBirth" in party.fields]

    assert {8, 10, 19} == {len(text) for text in dates}


class TestMix:
    """Measurements need a practice that is known exactly."""

    def test_every_record_has_as_many_relationships_as_asked_for(self, filled):
        """Not one more or less, whatever its family."""
        assert {len(party.relationships) for party in filled.parties.values()} == {12}

    def test_no_record_says_the_same_of_the_same_party_twice(self, filled):
        """Twelve relationships are twelve items."""
        for party in filled.parties.values():
            said = {(tie.type.strip().casefold(), tie.party_uuid) for tie in party.relationships}
            assert len(said) == 12

    def test_most_still_stand_on_both_records(self, filled):
        """Filled up with pairs."""
        ends = {
            (party.uuid, tie.party_uuid) for party in filled.parties.values() for tie in party.relationships
        }

        assert sum(end[::-1] in ends for end in ends) > 0.9 * len(ends)

    def test_shares_are_as_asked_for(self, filled):
        """One percent of the relationships lead to one percent of clients that are gone; none has ended."""
        ties = [tie for party in filled.parties.values() for tie in party.relationships]
        dangling = [tie.party_uuid for tie in ties if tie.party_uuid not in filled.parties]

        assert 0.007 < len(dangling) / len(ties) < 0.013
        assert len(set(dangling)) == 10
        assert not any(tie.end and tie.end < "2024" for tie in ties)

    @pytest.mark.parametrize("share", ["archived", "deleted", "dangling", "ended"])
    def test_what_is_not_wanted_does_not_occur(self, share):
        """Nothing of it at all."""
        practice = seeded_practice("none", 300, replace(Mix(), **{share: 0}))
        parties = list(practice.parties.values())
        ties = [tie for party in parties for tie in party.relationships]
        occurs = {
            "archived": any(party.archived for party in parties),
            "deleted": any(party.deleted for party in parties),
            "dangling": any(tie.party_uuid not in practice.parties for tie in ties),
            "ended": any(tie.end and tie.end < "2024" for tie in ties),
        }

        assert not occurs.pop(share)
        assert all(occurs.values())

    def test_what_does_not_fit_is_refused(self):
        """Two people cannot be tied in a dozen ways."""
        with pytest.raises(CannotFill):
            seeded_practice("small", 2, Mix(relationships=12))
