"""What the reader takes and what the published schemas allow are the same, but for a short list of differences."""

import json
from datetime import date, datetime
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.codec import Event, Unreadable
from schemas.decisions import ItemImported
from schemas.envelope import EventData
from schemas.fields import CalendarDate, SenderTime, Timestamp
from schemas.imports import ItemStaged
from schemas.portal import ClientAdded
from schemas.publishing import documents
from schemas.topics import EVENT_TYPES, MAX_EVENT_BYTES
from tests.support.events import TOPIC_OF, reading, records_of
from tests.support.jsonschemas import pattern_of, validator
from tests.support.mutations import mutations

VALIDATORS = {name: validator(schema) for name, schema in documents.schemas().items()}
EXAMPLES = documents.examples()

each_type = pytest.mark.parametrize("event", EVENT_TYPES.values(), ids=EVENT_TYPES)
thoroughly = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def readable(record: Any, event: type[EventData]) -> bool:
    return isinstance(reading(orjson.dumps(record), TOPIC_OF[event]), Event)


@each_type
def test_the_example_of_each_type_is_valid_and_read(event: type[EventData]) -> None:
    """What a portal engineer copies from the docs works."""
    VALIDATORS[event.TYPE].validate(EXAMPLES[event.TYPE])

    assert readable(EXAMPLES[event.TYPE], event)


@each_type
@thoroughly
@given(chosen=st.data())
def test_whatever_the_models_allow_is_valid_and_read(event: type[EventData], chosen: st.DataObject) -> None:
    """A record with any optional fields, and values at the edges of what is allowed, passes both."""
    record = chosen.draw(records_of(event))

    assert readable(record, event)
    VALIDATORS[event.TYPE].validate(record)


@each_type
@thoroughly
@given(chosen=st.data())
def test_a_record_changed_by_a_hair_is_right_for_both_or_for_neither(
    event: type[EventData], chosen: st.DataObject
) -> None:
    """Where the schema says no the reader says no, and the other way round."""
    record = chosen.draw(st.just(EXAMPLES[event.TYPE]) | records_of(event))
    valid = VALIDATORS[event.TYPE].is_valid
    for _ in range(5):
        changed = chosen.draw(mutations(record))

        assert readable(changed, event) == valid(changed), changed


DAYS = [
    f"{year:04}-{month:02}-{day:02}"
    for year in (*range(410), *range(1890, 2110), 2400, 2800, 2900, 2999, 3000, 9999)
    for month in range(14)
    for day in (0, 1, 28, 29, 30, 31, 32)
]


def test_a_calendar_date_is_a_day_that_there_is() -> None:
    """The pattern knows the lengths of the months and the leap years, from year 1 to 9999."""
    pattern = pattern_of(CalendarDate)

    assert [day for day in DAYS if bool(pattern.search(day)) != _is_a_day(day)] == []


@pytest.mark.parametrize("kind", [Timestamp, SenderTime])
def test_an_instant_is_on_a_day_of_1970_to_2999_that_there_is(kind: Any) -> None:
    """The pattern of instants knows the calendar too."""
    pattern = pattern_of(kind)
    expected = {day: _is_a_day(day) and 1970 <= int(day[:4]) <= 2999 for day in DAYS}

    assert [day for day in DAYS if bool(pattern.search(f"{day}T23:59:59.999Z")) != expected[day]] == []


@pytest.mark.parametrize(
    ("text", "is_timestamp", "is_sender_time"),
    [
        ("2026-11-23T07:14:29Z", True, True),
        ("2026-11-23T07:14:29.1Z", True, True),
        ("2026-11-23T07:14:29.123456Z", True, True),
        ("2026-11-23T07:14:29.1234567Z", False, False),
        ("2026-11-23T07:14:29.Z", False, False),
        ("2026-11-23T07:14:29+10:30", False, True),
        ("2026-11-23T07:14:29-00:00", False, True),
        ("2026-11-23T07:14:29+24:00", False, False),
        ("2026-11-23T07:14:29+1000", False, False),
        ("2026-11-23T07:14:29", False, False),
        ("2026-11-23T07:14Z", False, False),
        ("2026-11-23T24:00:00Z", False, False),
        ("2026-11-23T07:60:00Z", False, False),
        ("2026-11-23T07:14:60Z", False, False),
        ("2026-11-23 07:14:29Z", False, False),
        ("2026-11-23t07:14:29z", False, False),
        ("٢٠٢٦-11-23T07:14:29Z", False, False),
    ],
)
def test_an_instant_is_written_as_rfc_3339_writes_it(
    text: str, *, is_timestamp: bool, is_sender_time: bool
) -> None:
    """Seconds and zone are there, the zone is UTC in data, and nothing is finer than a microsecond."""
    assert bool(pattern_of(Timestamp).search(text)) == is_timestamp
    assert bool(pattern_of(SenderTime).search(text)) == is_sender_time


@given(st.from_regex(pattern_of(SenderTime).pattern.replace(r"\Z", "$"), fullmatch=True))
def test_every_instant_is_one_that_python_reads(text: str) -> None:
    """Whoever computes with an instant finds one."""
    assert datetime.fromisoformat(text).utcoffset() is not None


@pytest.mark.parametrize("event", [ClientAdded, ItemImported])
def test_a_name_is_changed_or_absent_but_never_cleared(event: type[EventData]) -> None:
    """Null clears every other detail; a client or member without a name is none."""
    record = _with(EXAMPLES[event.TYPE], "personal", {"name": None})
    others = _with(EXAMPLES[event.TYPE], "personal", {"title": None, "email": None})

    assert not readable(record, event)
    assert not VALIDATORS[event.TYPE].is_valid(record)
    assert readable(others, event)
    assert VALIDATORS[event.TYPE].is_valid(others)


STAGED = EXAMPLES[ItemStaged.TYPE]
DEEP = json.loads("[" * 300 + "]" * 300)

DIFFERENCES = {
    "an integer written with a fraction of nothing": json.dumps(STAGED).replace(": 60,", ": 60.0,"),
    "more bytes than are read": json.dumps({**STAGED, "unknown_field": "x" * MAX_EVENT_BYTES}),
    "unknown fields nested deeper than 250 levels": json.dumps(
        {**STAGED, "data": {**STAGED["data"], "unknown_field": DEEP}}
    ),
}


@pytest.mark.parametrize("text", DIFFERENCES.values(), ids=DIFFERENCES)
def test_what_json_schema_cannot_say_is_refused_by_the_reader_only(text: str) -> None:
    """These are all the differences that are known, and none of them is the other way round."""
    assert VALIDATORS[ItemStaged.TYPE].is_valid(json.loads(text))
    assert isinstance(reading(text.encode(), TOPIC_OF[ItemStaged]), Unreadable)


def _with(record: dict[str, Any], field: str, value: Any) -> dict[str, Any]:
    return {**record, "data": {**record["data"], field: value}}


def _is_a_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
