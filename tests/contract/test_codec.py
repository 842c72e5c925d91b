"""Bytes to events and back: nothing is lost, nothing is coerced, and whatever cannot be read says why."""

import json
import random
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.codec import Event, Unreadable, decode, encode, envelope
from schemas.decisions import ItemIgnored
from schemas.envelope import Envelope, EventData
from schemas.imports import ImportRequested
from schemas.publishing import documents
from schemas.topics import EVENT_TYPES, JOURNAL, MAX_EVENT_BYTES, TOPICS
from tests.support.events import TOPIC_OF, reading, records_of
from tests.support.mutations import mutations

EXAMPLES = documents.examples()
IGNORED = EXAMPLES[ItemIgnored.TYPE]
SECRET = "Persephone-Quill"

each_type = pytest.mark.parametrize("event", EVENT_TYPES.values(), ids=EVENT_TYPES)
briefly = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
thoroughly = settings(briefly, max_examples=40)


def changed(**fields: Any) -> bytes:
    return orjson.dumps(IGNORED | fields)


@each_type
@briefly
@given(chosen=st.data())
def test_what_is_written_is_read_again(event: type[EventData], chosen: st.DataObject) -> None:
    """Data and envelope come back equal, and so does which fields were sent: absent and null stay apart."""
    record = chosen.draw(records_of(event))
    data = event.model_validate(record["data"])
    surroundings = {
        "id": record["id"],
        "source": record["source"],
        "time": record["time"],
        "subject": record["subject"],
        "tenant_id": record["tenantid"],
        "causation_id": record.get("causationid"),
    }

    read = decode(encode(data, **surroundings), TOPIC_OF[event])

    assert read.data == data
    assert read.data.model_dump(exclude_unset=True) == data.model_dump(exclude_unset=True)
    assert {name: getattr(read, name) for name in surroundings} == surroundings
    assert read.type == event.TYPE


@each_type
def test_the_same_event_is_written_with_the_same_bytes(event: type[EventData]) -> None:
    """What is published again after a crash is the same, byte for byte."""
    read = decode(orjson.dumps(EXAMPLES[event.TYPE]), TOPIC_OF[event])
    surroundings = {"id": "1", "source": "/here", "time": read.time, "subject": "it", "tenant_id": "t"}

    first, second = (encode(read.data, **surroundings) for _ in range(2))

    assert first == second
    assert encode(decode(first, TOPIC_OF[event]).data, **surroundings) == first


@each_type
@thoroughly
@given(chosen=st.data())
def test_an_envelope_is_what_its_model_says(event: type[EventData], chosen: st.DataObject) -> None:
    """Whatever is changed about it: read as the model reads it, or refused in the model's words."""
    record = EXAMPLES[event.TYPE]
    around = chosen.draw(mutations({name: record[name] for name in record.keys() - {"data", "type"}}))
    record = around | {"type": event.TYPE, "data": record["data"]}
    found = reading(orjson.dumps(record), TOPIC_OF[event])

    try:
        told = Envelope[event].model_validate(record)
        wrong = []
    except ValidationError as error:
        told, wrong = None, [f"{each['loc'][0]}: {each['type']}" for each in error.errors()]

    if told is None:
        assert isinstance(found, Unreadable)
        assert (found.why, found.detail) == ("not_schema", "; ".join(wrong[:5]))
    else:
        assert isinstance(found, Event)
        assert (found.id, found.source, found.time) == (told.id, told.source, told.time)
        assert (found.subject, found.tenant_id) == (told.subject, told.tenantid)
        assert (found.causation_id, found.data) == (told.causationid, told.data)


@each_type
@briefly
@given(chosen=st.data())
def test_what_is_written_are_the_bytes_that_were_always_written(
    event: type[EventData], chosen: st.DataObject
) -> None:
    """Outcomes are stored as bytes, and published again as bytes: by whatever they are written, it must not show."""
    record = chosen.draw(records_of(event))
    order = ("specversion", "id", "source", "type", "time", "subject", "datacontenttype", "tenantid")
    document = {name: record[name] for name in order}
    if record.get("causationid") is not None:
        document["causationid"] = record["causationid"]

    written = envelope(
        event.TYPE,
        record["data"],
        **{name: record[name] for name in ("id", "source", "time", "subject")},
        tenant_id=record["tenantid"],
        causation_id=record.get("causationid"),
    )

    assert written == orjson.dumps(document | {"data": record["data"]})


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.text(), st.text() | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.none()))
def test_every_text_and_number_is_written_as_it_always_was(data: dict[str, Any]) -> None:
    """Down to escapes."""
    around = {"id": "1", "source": "/here", "time": "now", "subject": "it", "tenant_id": "t"}

    assert envelope("x", data, **around).endswith(b'"data":' + orjson.dumps(data) + b"}")


UNREADABLE = {
    "no value": (None, "not_json", "the record is empty"),
    "no bytes": (b"", "not_json", "the record is empty"),
    "not JSON": (b"\x00\x01", "not_json", "line 1, column 1"),
    "half of it": (changed()[:-9], "not_json", "line 1, column"),
    "two of them": (changed() + changed(), "not_json", "line 1, column"),
    "not UTF-8": (changed(source="é").replace("é".encode(), b"\xe9"), "not_json", "line 1, column 1"),
    "a byte order mark": (b"\xef\xbb\xbf" + changed(), "not_json", "line 1, column 1"),
    "half a character": (
        changed(source="SURROGATE").replace(b"SURROGATE", b"\\ud800"),
        "not_json",
        "line 1, column",
    ),
    "not a number": (changed(seen="NUMBER").replace(b'"NUMBER"', b"NaN"), "not_json", "line 1, column"),
    "a number beyond all": (
        changed(seen="NUMBER").replace(b'"NUMBER"', b"1e999"),
        "not_json",
        "line 1, column",
    ),
    "nested without end": (b"[" * 100_000, "not_json", "line 1, column"),
    "nested too deeply": (
        changed(data={"more": "NESTED", **IGNORED["data"]}).replace(b'"NESTED"', b"[" * 300 + b"]" * 300),
        "not_schema",
        "nested too deeply",
    ),
    "a list of records": (b"[" + changed() + b"]", "not_schema", "the record is not a JSON object"),
    "a text": (b'"x"', "not_schema", "the record is not a JSON object"),
    "an empty object": (
        b"{}",
        "not_schema",
        "specversion: missing; id: missing; source: missing; type: missing; time: missing",
    ),
    "another version of the envelope": (
        changed(specversion="0.3"),
        "not_schema",
        "specversion: literal_error",
    ),
    "a number for an id": (changed(id=7), "not_schema", "id: string_type"),
    "an id with a space": (changed(id="a b"), "not_schema", "id: string_pattern_mismatch"),
    "an id that ends its line": (changed(id="a\n"), "not_schema", "id: string_pattern_mismatch"),
    "a tenant too long": (changed(tenantid="t" * 65), "not_schema", "tenantid: string_too_long"),
    "no such day": (changed(time="2026-02-30T00:00:00Z"), "not_schema", "time: string_pattern_mismatch"),
    "no data": (changed(data=None), "not_schema", "data: model_type"),
    "data without a field": (changed(data={"item_id": "i"}), "not_schema", "decided_by: missing"),
    "NUL in a text": (
        changed(data=IGNORED["data"] | {"decided_by": "a\0b"}),
        "not_schema",
        "decided_by: string_pattern_mismatch",
    ),
    "a type that nobody knows": (
        changed(type="muster.item.forgotten.v1"),
        "unknown_type",
        "muster.journal carries no event of this type",
    ),
    "a type of another topic": (
        changed(type=ImportRequested.TYPE),
        "unknown_type",
        "muster.journal carries no event of this type",
    ),
    "one byte too many": (
        changed(pad="").replace(
            b'"pad":""', b'"pad":"' + b"x" * (MAX_EVENT_BYTES - len(changed(pad="")) + 1) + b'"'
        ),
        "too_large",
        "1048577 bytes, where 1048576 are read",
    ),
}


@pytest.mark.parametrize(("value", "why", "detail"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_says_why_and_where(value: bytes | None, why: str, detail: str) -> None:
    """Each way of being unreadable has its word for machines, and a place for people."""
    found = reading(value, JOURNAL)

    assert isinstance(found, Unreadable)
    assert found.why == why
    assert found.detail.startswith(detail)


def test_the_largest_record_is_read() -> None:
    """One mebibyte is not too large."""
    size = MAX_EVENT_BYTES - len(changed(pad=""))

    assert decode(changed(pad="x" * size), JOURNAL).id == IGNORED["id"]


def test_each_topic_carries_its_own_types_and_no_other() -> None:
    """A request on the journal is not an event of the journal."""
    answers = {
        topic.name: {name: reading(orjson.dumps(record), topic) for name, record in EXAMPLES.items()}
        for topic in TOPICS
    }
    refusals = {
        name: {each: answer.why for each, answer in answered.items() if isinstance(answer, Unreadable)}
        for name, answered in answers.items()
    }

    assert refusals == {
        topic.name: {name: "unknown_type" for name, event in EVENT_TYPES.items() if event not in topic.types}
        for topic in TOPICS
    }


@each_type
@briefly
@given(chosen=st.data())
def test_a_reason_never_repeats_a_value(event: type[EventData], chosen: st.DataObject) -> None:
    """Reasons stand in logs and headers, where no name may appear: neither as a value nor as the name of a field."""
    record = chosen.draw(mutations(EXAMPLES[event.TYPE]))
    told = orjson.dumps(_confided(record, chosen.draw(st.randoms(use_true_random=False))))

    found = reading(told, TOPIC_OF[event])

    if isinstance(found, Unreadable):
        assert SECRET not in found.detail + str(found) + repr(found.args)
        assert found.__cause__ is None


def _confided(node: Any, chance: random.Random) -> Any:
    """The document with a secret in the place of some values, and beside them under a name that is one."""
    if isinstance(node, dict):
        return {key: _confided(each, chance) for key, each in node.items()} | {SECRET: SECRET}
    if isinstance(node, list):
        return [_confided(each, chance) for each in node]
    return f"{SECRET}\n{SECRET}" * 40 if chance.random() < 0.2 else node


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.binary() | st.text().map(str.encode) | JSON_VALUES.map(json.dumps).map(str.encode))
def test_any_bytes_are_an_event_or_unreadable(value: bytes) -> None:
    """Nothing that may lie on a topic brings the reader down."""
    assert isinstance(reading(value, JOURNAL), Unreadable)


@pytest.mark.parametrize(
    "depth", [100, 200, 240, 250, 251, 252, 253, 254, 255, 256, 500, 1000, 1019, 1025, 5000]
)
def test_no_depth_brings_the_reader_down(depth: int) -> None:
    """Unknown fields may nest as they like, but what is too deep to be compared is not read."""
    nested = b"[" * depth + b"]" * depth
    inside = changed(data=IGNORED["data"] | {"more": "NESTED"}).replace(b'"NESTED"', nested)
    beside = changed(more="NESTED").replace(b'"NESTED"', nested)

    assert isinstance(reading(inside, JOURNAL), Event) == (depth <= 252)
    assert isinstance(reading(beside, JOURNAL), Event) == (depth < 1024)


@each_type
@briefly
@given(chosen=st.data())
def test_a_damaged_event_is_an_event_or_unreadable(event: type[EventData], chosen: st.DataObject) -> None:
    """Nor does anything that was an event before some bytes of it were lost, changed or put in."""
    value = orjson.dumps(EXAMPLES[event.TYPE])
    for _ in range(20):
        start = chosen.draw(st.integers(0, len(value)))
        end = start + chosen.draw(st.integers(0, 4))
        reading(value[:start] + chosen.draw(st.binary(max_size=4)) + value[end:], TOPIC_OF[event])


@each_type
@briefly
@given(chosen=st.data())
def test_content_is_equal_however_it_is_written(event: type[EventData], chosen: st.DataObject) -> None:
    """The order of keys, white space and escapes are not content; nor are id, time, source and cause."""
    record = chosen.draw(records_of(event))
    written = decode(orjson.dumps(record), TOPIC_OF[event])
    again = _shuffled(record, chosen.draw(st.randoms(use_true_random=False)))
    again |= {"id": "another", "source": "/another", "time": "2030-01-01T00:00:00Z", "causationid": "another"}
    layout = chosen.draw(
        st.sampled_from(({"indent": 3}, {"ensure_ascii": False}, {"separators": (" ,", " :")}))
    )

    read = decode(json.dumps(again, **layout).encode(), TOPIC_OF[event])

    assert read.content == written.content


@each_type
@briefly
@given(chosen=st.data())
def test_content_differs_where_data_differ(event: type[EventData], chosen: st.DataObject) -> None:
    """Equal digests mean equal type, subject and data, unknown fields among them."""
    record = chosen.draw(records_of(event))
    told = chosen.draw(mutations(record["data"]))
    before, after = orjson.dumps(record), orjson.dumps(record | {"data": told})
    read, reread = reading(before, TOPIC_OF[event]), reading(after, TOPIC_OF[event])
    if isinstance(read, Event) and isinstance(reread, Event):
        assert (read.content == reread.content) == (_exactly(told) == _exactly(record["data"]))


def test_content_covers_type_and_subject() -> None:
    """The same data about something else is another event, and so is the same data of another type."""
    read = decode(changed(), JOURNAL)
    elsewhere = decode(changed(subject="items/another"), JOURNAL)
    data = IGNORED["data"] | {"seen": {"item": "0" * 32}}
    ignored, imported = (
        decode(changed(type=f"muster.item.{verb}.v1", data=data), JOURNAL) for verb in ("ignored", "imported")
    )

    assert read.content != elsewhere.content
    assert ignored.content != imported.content


def _exactly(value: Any) -> str:
    """The value as text that tells true from 1 and 1 from 1.0, whatever the order of keys."""
    return json.dumps(value, sort_keys=True)


def _shuffled(node: Any, chance: random.Random) -> Any:
    if isinstance(node, list):
        return [_shuffled(each, chance) for each in node]
    if not isinstance(node, dict):
        return node
    names = list(node)
    chance.shuffle(names)
    return {name: _shuffled(node[name], chance) for name in names}
