"""JSON in place of XML: described once, never seen, read all the same."""

import json
from typing import Any

import pytest

from services.importer.xpm.elements import Limits
from services.importer.xpm.errors import SourceInvalid
from services.importer.xpm.reader import ClientReader, Refused
from services.importer.xpm.records import Client, Details, Relationship, Remark

CLIENT: dict[str, Any] = {
    "uuid": "1D44F4B8",
    "name": "Bloggs, Jo",
    "email": None,
    "dateOfBirth": "1970-11-26T00:00:00",
    "isArchived": "Yes",
    "isDeleted": False,
    "balanceMonth": 3,
    "bankName": "Tern Bank",
    "notes": [{"title": "Name", "text": "long"}],
    "contacts": [{"uuid": "2", "email": "jo@bloggs.example", "isPrimary": True}, {"email": "o@x.example"}],
    "relationships": [
        {
            "uuid": "3",
            "type": "Shareholder",
            "relatedClient": {"uuid": "4", "name": "Bloggs & Sons"},
            "numberOfShares": 1000,
            "percentage": 33.33,
            "startDate": "2011-01-01",
            "endDate": None,
        },
        {"uuid": "5", "type": "Partner Of", "relatedClient": {"uuid": "4"}, "percentage": 50.0},
    ],
}
READ = Client(
    xpm_client_id="1d44f4b8",
    details=Details(name="Bloggs, Jo", date_of_birth="1970-11-26", email="jo@bloggs.example"),
    archived=True,
    relationships=(
        Relationship(
            xpm_relationship_id="3",
            type="Shareholder",
            xpm_party_id="4",
            party_name="Bloggs & Sons",
            start_date="2011-01-01",
            number_of_shares=1000,
            percentage="33.33",
        ),
        Relationship(xpm_relationship_id="5", type="Partner Of", xpm_party_id="4", percentage="50"),
    ),
)


def read(document: object, step: int = 10**9, limits: Limits = Limits()) -> list[Client]:  # noqa: B008 - frozen
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    reader = ClientReader(limits)
    found = [client for at in range(0, len(data), step) for client in reader.feed(data[at : at + step])]
    return found + reader.close()


@pytest.mark.parametrize(
    "answer",
    [
        {"client": CLIENT},
        {"status": "OK", "webUrl": "https://x.example", "client": CLIENT},
        {"clients": [CLIENT]},
        {"Status": "OK", "Clients": [CLIENT], "pagination": {"links": {"first": "x"}}},
    ],
)
def test_a_client_is_read_as_if_it_were_xml(answer):
    """With or without a status, alone or in a list; what is not wanted is left out."""
    assert read(answer) == [READ]


@pytest.mark.parametrize("step", [1, 7, 64])
def test_pieces_may_end_anywhere(step):
    """Within a name, a character of several bytes, a number."""
    answer = {"clients": [CLIENT, {"uuid": "6", "name": "Zoë \U0001f98a"}]}

    assert read(answer) == read(answer, step)
    assert read(b"\xef\xbb\xbf \n" + json.dumps(answer, ensure_ascii=False).encode(), step) == read(answer)


def test_clients_come_as_soon_as_they_are_complete():
    """A list is not held back until its end."""
    reader = ClientReader()
    (client,) = reader.feed(b'{"clients": [' + json.dumps(CLIENT).encode() + b', {"uu')

    assert client == READ


def test_who_is_known_is_passed_over_unless_archived_or_deleted():
    """As in XML."""
    listed = [{"uuid": "1"}, {"uuid": "2", "isArchived": "Yes"}, {"uuid": "3"}]
    reader = ClientReader(known={"1", "2"})
    clients = reader.feed(json.dumps({"clients": listed}).encode()) + reader.close()

    assert [client.xpm_client_id for client in clients] == ["2", "3"]


def test_a_refusal_is_told_from_an_answer():
    """As it is described."""
    with pytest.raises(Refused):
        read({"status": "ERROR", "errorDescription": "Invalid client identifier"})


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        [CLIENT],
        {"message": "ok"},
        {"status": 500},
        {"client": {"name": "nobody"}},
        b'{"client": {"uuid": "1"}',
        b'{"client": {"uuid": "1"}} {}',
        b'{"client": {"uuid": "\xff"}}',
        b'{"clients": [{"uuid": ' + b"9" * 5_000 + b"}]}",
        b'{"a":' * 100_000,
        b'{"clients": ' + b"[" * 100_000,
        '{"client": {"uuid": "1"}}'.encode("utf-16"),
    ],
    ids=lambda it: str(it)[:30],
)
def test_what_is_no_answer_is_invalid(document):
    """Problems that look like answers, and what would exhaust a careless reader."""
    with pytest.raises(SourceInvalid):
        read(document)


def test_a_record_has_limits():
    """The same as in XML."""
    for limits in (Limits(elements=5), Limits(characters=5), Limits(depth=2)):
        with pytest.raises(SourceInvalid):
            read({"client": CLIENT}, limits=limits)


def test_a_value_without_an_end_is_given_up():
    """What the parser has to keep until it ends is bounded."""
    reader = ClientReader()
    reader.feed(b'{"clients": [{"uuid": "1", "notes": "')
    with pytest.raises(SourceInvalid):
        list(map(reader.feed, [b"x" * 100_000] * 100))


def test_numbers_that_are_none_of_ours_are_remarked_upon():
    """A record is worth more than its one odd field."""
    tie = {"type": "Partner", "relatedClient": {"uuid": "4"}, "numberOfShares": 1.5, "percentage": -3}
    (client,) = read({"client": {"uuid": "1", "relationships": [tie]}})

    assert set(client.remarks) == {
        Remark(element=name, kind="unreadable") for name in ("NumberOfShares", "Percentage")
    }
