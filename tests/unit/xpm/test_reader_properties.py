"""What holds for every document, also for those that nobody thought of."""

import contextlib
import json
from html import escape

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from sandbox.document import Printer
from sandbox.seeded import seeded_practice
from schemas.imports import Relationship as StagedRelationship
from schemas.people import EntityDetails, PersonDetails
from services.importer.xpm.errors import SourceInvalid
from services.importer.xpm.reader import WANTED, ClientReader, Refused
from services.importer.xpm.records import Client

XML_TEXT = st.text(
    st.characters(codec="utf-8").filter(lambda c: c >= " " or c in "\t\n\r"),
    max_size=400,
).filter(lambda text: not set(text) & {"\ufffe", "\uffff"})
BLANK = st.text(" \t\n\r\u00a0", max_size=5)
NUMBER = st.from_regex(r"[0-9]{1,20}(\.[0-9]{1,20})?", fullmatch=True)
DAY = st.from_regex(r"[0-2][0-9]{3}-?[01][0-9]-?[0-3][0-9](T00:00:00)?", fullmatch=True)
TYPED = st.one_of(XML_TEXT, NUMBER, DAY, st.emails())
TIE = ("UUID", "Type", "NumberOfShares", "Percentage", "StartDate", "EndDate")
FIELD = st.sampled_from(sorted(WANTED - {"UUID", "Contacts", "Relationships"}))

PRACTICE = seeded_practice("fuzz", 40)
RECORDS = [Printer(PRACTICE).client(party) for party in PRACTICE.parties.values()]


def answer(record: str) -> bytes:
    return f"<Response><Status>OK</Status>{record}</Response>".encode()


def read(data: bytes) -> list[Client]:
    reader = ClientReader()
    return reader.feed(data) + reader.close()


def elements(fields: list[tuple[str, str]]) -> str:
    return "".join(f"<{name}>{escape(text)}</{name}>" for name, text in fields)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_read_or_invalid(data):
    """Nothing outside the family ever comes out of the reader."""
    with contextlib.suppress(SourceInvalid, Refused):
        read(data)


@st.composite
def damaged(draw) -> bytes:
    """A good answer with pieces cut out, doubled, overwritten or swapped."""
    data = bytearray(answer(draw(st.sampled_from(RECORDS))))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        splice = draw(
            st.one_of(st.binary(max_size=8), st.just(bytes(data[end : end + 30]) * 2), st.just(b"</Client>"))
        )
        data[start:end] = splice
    return bytes(data)


@given(damaged())
def test_damaged_answers_are_read_or_invalid(data):
    """Whatever happens to an answer on its way."""
    with contextlib.suppress(SourceInvalid, Refused):
        read(data)


@given(
    fields=st.lists(st.tuples(FIELD, XML_TEXT), max_size=12),
    blanks=st.lists(st.tuples(FIELD, BLANK, st.integers(0, 12)), max_size=8),
)
@example(fields=[("DateOfBirth", "1970-11-26")], blanks=[("DateOfBirth", "", 1)])
@example(fields=[("Email", "a@x.example")], blanks=[("Email", " \n", 0), ("Email", "", 12)])
def test_absent_never_overwrites_present(fields, blanks):
    """Blank elements, put in anywhere and in any number, are as good as absent."""
    with_blanks = list(fields)
    for name, blank, place in blanks:
        with_blanks.insert(place, (name, blank))
    head = "<UUID>1</UUID>"

    assert read(answer(f"<Client>{head}{elements(fields)}</Client>")) == read(
        answer(f"<Client>{head}{elements(with_blanks)}</Client>")
    )


@given(
    fields=st.lists(st.tuples(FIELD, TYPED), max_size=12),
    tie=st.fixed_dictionaries(dict.fromkeys(TIE, TYPED)),
    party=st.one_of(TYPED, st.just("7b57ae35")),
    name=TYPED,
)
@example(fields=[], tie=dict.fromkeys(TIE, "999999999999.9999999"), party="1", name="Jo")
def test_whatever_is_read_fits_the_events(fields, tie, party, name):
    """A client that was read can be staged: no text of it is outside the contract or beyond JSON."""
    related = f"<RelatedClient>{elements([('UUID', party), ('Name', name)])}</RelatedClient>"
    ties = (
        f"<Relationships><Relationship>{elements(list(tie.items()))}{related}</Relationship></Relationships>"
    )
    (client,) = read(answer(f"<Client><UUID>1</UUID>{elements(fields)}{ties}</Client>"))

    as_read = client.details.model_dump() | {"name": client.details.name or "somebody"}
    EntityDetails.model_validate(as_read)
    PersonDetails.model_validate({field: as_read[field] for field in PersonDetails.model_fields})
    for found in client.relationships:
        StagedRelationship.model_validate(found.model_dump(exclude={"xpm_party_id", "party_name"}))
    orjson.dumps(client.model_dump())


@given(st.sampled_from(RECORDS), st.integers(1, 500))
def test_how_an_answer_is_cut_into_pieces_changes_nothing(record, step):
    """The network decides about pieces, not the meaning."""
    data = answer(record)
    reader = ClientReader()
    pieces = [
        client for start in range(0, len(data), step) for client in reader.feed(data[start : start + step])
    ]

    assert read(data) == pieces + reader.close()


@given(
    row=st.dictionaries(st.sampled_from(TIE[2:]), TYPED, max_size=4),
    blanks=st.lists(st.tuples(st.sampled_from(TIE), BLANK, st.integers(0, 12)), max_size=6),
)
@example(row={"EndDate": "2020-06-30"}, blanks=[("EndDate", "", 12), ("Type", "", 0), ("UUID", " ", 9)])
def test_absent_never_overwrites_present_in_a_relationship_either(row, blanks):
    """An end that was there stays, and what a blank element says first or last changes nothing."""
    fields = [("UUID", "9"), ("Type", "Director"), *row.items()]
    with_blanks = list(fields)
    for name, blank, place in blanks:
        with_blanks.insert(place, (name, blank))

    def client(rows):
        party = "<RelatedClient><UUID>4</UUID><Name>Jo</Name><Name></Name></RelatedClient>"
        tie = f"<Relationship>{elements(rows)}{party}</Relationship>"
        return answer(f"<Client><UUID>1</UUID><Relationships>{tie}</Relationships></Client>")

    assert read(client(fields)) == read(client(with_blanks))


ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                (
                    "status",
                    "clients",
                    "client",
                    "uuid",
                    "name",
                    "relationships",
                    "relatedClient",
                    "type",
                    "id",
                )
            )
            | st.text(max_size=8),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(("status", "client", "clients", "pagination")), ANY_JSON, max_size=4))
@example({"client": {"uuid": "1", "relationships": {"relatedClient": {"uuid": "2"}, "type": "x"}}})
@example({"clients": [[{"uuid": "1"}]], "status": ["OK"]})
def test_any_json_is_read_or_invalid(document):
    """Nothing outside the family ever comes out of that reader either."""
    with contextlib.suppress(SourceInvalid, Refused):
        read(json.dumps(document).encode())
