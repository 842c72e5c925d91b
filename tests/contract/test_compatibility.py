"""Every way in which a schema can stop reading what it read is noticed, and nothing else is called a break."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from schemas.outcomes import OutcomeRecorded
from schemas.publishing import documents
from schemas.publishing.compatibility import UnknownKeyword, breaks, constraints
from schemas.topics import EVENT_TYPES

Schema = dict[str, Any]
Change = Callable[[Schema], object]

TEXT = {"type": "string", "minLength": 1, "maxLength": 10, "pattern": "^[a-z]+$"}
WORD = {"$ref": "#/$defs/Word"}
SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Told",
    "type": "object",
    "required": ["name", "told"],
    "properties": {
        "name": TEXT,
        "told": WORD,
        "kind": {"type": "string", "enum": ["one", "two"]},
        "count": {"type": "integer", "minimum": 0, "maximum": 9, "default": 0},
        "words": {"type": "array", "items": WORD, "maxItems": 5},
        "maybe": {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 9}, {"type": "null"}]},
        "fixed": {"type": "string", "const": "1.0"},
        "flag": {"type": "boolean", "description": "Says something."},
    },
    "$defs": {
        "Word": {
            "type": "object",
            "required": ["text"],
            "properties": {"text": TEXT, "meaning": {"anyOf": [TEXT, {"type": "null"}]}},
        }
    },
}


def changed(*changes: Change) -> Schema:
    schema: Schema = json.loads(json.dumps(SCHEMA))
    for change in changes:
        change(schema)
    return schema


def at(*path: str | int, **fields: Any) -> Change:
    """Set fields of the node at the path; `...` takes a field out."""

    def change(schema: Schema) -> None:
        node: Any = schema
        for step in path:
            node = node[step]
        for name, value in fields.items():
            if value is ...:
                del node[name]
            else:
                node[name] = value

    return change


FIELD = ("properties", "name")
WORD_FIELDS = ("$defs", "Word", "properties")

BREAKS: dict[str, tuple[Change, list[tuple[str, str]]]] = {
    "an optional field goes": (at("properties", flag=...), [("flag", "removed_field")]),
    "a required field goes": (
        lambda schema: (schema["properties"].pop("name"), schema["required"].remove("name")),
        [("name", "removed_field")],
    ),
    "a field is renamed": (
        lambda schema: schema["properties"].update(flagged=schema["properties"].pop("flag")),
        [("flag", "removed_field")],
    ),
    "a new field is required": (
        lambda schema: (schema["properties"].update(new=TEXT), schema["required"].append("new")),
        [("new", "new_required_field")],
    ),
    "an optional field is required": (
        lambda schema: schema["required"].append("flag"),
        [("flag", "newly_required")],
    ),
    "a field takes another type": (at(*FIELD, type="integer"), [("name", "narrowed_type")]),
    "a list becomes one": (at("properties", words=WORD), [("words", "narrowed_type")]),
    "null is no longer allowed": (
        at("properties", maybe={"type": "integer", "minimum": 0, "maximum": 9}),
        [("maybe", "narrowed_type")],
    ),
    "only null is allowed": (at("properties", maybe={"type": "null"}), [("maybe", "narrowed_type")]),
    "a value of an enum goes": (at("properties", "kind", enum=["two"]), [("kind", "removed_value")]),
    "an enum becomes one value": (
        at("properties", kind={"type": "string", "const": "one"}),
        [("kind", "removed_value")],
    ),
    "any text becomes an enum": (at(*FIELD, enum=["a", "b"]), [("name", "removed_value")]),
    "a constant is another": (at("properties", "fixed", const="1.1"), [("fixed", "removed_value")]),
    "a pattern is another": (at(*FIELD, pattern="^[a-y]+$"), [("name", "changed_pattern")]),
    "a pattern comes": (at("properties", "kind", pattern="^[a-z]+$"), [("kind", "changed_pattern")]),
    "a text has to be longer": (at(*FIELD, minLength=2), [("name", "narrowed_length")]),
    "a text has to be shorter": (at(*FIELD, maxLength=9), [("name", "narrowed_length")]),
    "a length is limited": (at("properties", "kind", maxLength=9), [("kind", "narrowed_length")]),
    "a list has to be shorter": (at("properties", "words", maxItems=4), [("words", "narrowed_length")]),
    "a number has to be larger": (at("properties", "count", minimum=1), [("count", "narrowed_range")]),
    "a number has to be smaller": (at("properties", "count", maximum=8), [("count", "narrowed_range")]),
    "a number that may be null has to be smaller": (
        at("properties", "maybe", "anyOf", 0, maximum=8),
        [("maybe", "narrowed_range")],
    ),
    "a default is another": (at("properties", "count", default=1), [("count", "changed_default")]),
    "a default goes": (at("properties", "count", default=...), [("count", "changed_default")]),
    "a default comes": (at("properties", "flag", default=True), [("flag", "changed_default")]),
    "a block breaks, wherever it stands": (
        at(*WORD_FIELDS, "text", maxLength=9),
        [("told.text", "narrowed_length"), ("words[].text", "narrowed_length")],
    ),
    "a field of a block goes, wherever it stands": (
        at(*WORD_FIELDS, meaning=...),
        [("told.meaning", "removed_field"), ("words[].meaning", "removed_field")],
    ),
    "things that are listed take another type": (
        at("properties", "words", items={"type": "integer"}),
        [("words[]", "narrowed_type")],
    ),
}

FINE: dict[str, Change] = {
    "nothing": lambda _: None,
    "a new optional field": at("properties", new=TEXT),
    "a required field is optional": lambda schema: schema["required"].remove("name"),
    "null is allowed": at("properties", name={"anyOf": [TEXT, {"type": "null"}]}),
    "another type is allowed beside": at("properties", name={"anyOf": [{"type": "integer"}, TEXT]}),
    "a new value of an enum": at("properties", "kind", enum=["three", "two", "one"]),
    "a constant becomes an enum": at("properties", fixed={"type": "string", "enum": ["1.1", "1.0"]}),
    "an enum becomes any text": at("properties", "kind", enum=...),
    "a pattern goes": at(*FIELD, pattern=...),
    "longer texts": at(*FIELD, minLength=0, maxLength=11),
    "a limit goes": at(*FIELD, minLength=..., maxLength=...),
    "larger numbers": at("properties", "count", minimum=-1, maximum=10),
    "longer lists": at("properties", "words", maxItems=6),
    "another description": at("properties", "flag", description="Says it better."),
    "another title": at(title="Said"),
    "a block stands where its reference stood": at("properties", told=SCHEMA["$defs"]["Word"]),
}


@pytest.mark.parametrize(("change", "expected"), BREAKS.values(), ids=BREAKS)
def test_each_kind_of_break_is_noticed(change: Change, expected: list[tuple[str, str]]) -> None:
    """By its place and its kind, and nothing beside it is blamed."""
    assert [(found.where, found.kind) for found in breaks(SCHEMA, changed(change))] == expected


def test_a_keyword_that_nobody_thought_about_is_refused() -> None:
    """Shutting out unknown fields, say, would be a break that went unseen."""
    with pytest.raises(UnknownKeyword, match="additionalProperties"):
        breaks(SCHEMA, changed(at(additionalProperties=False)))


@pytest.mark.parametrize("change", FINE.values(), ids=FINE)
def test_what_only_widens_is_no_break(change: Change) -> None:
    """Readers may learn to read more."""
    assert breaks(SCHEMA, changed(change)) == []


def test_all_breaks_are_told_at_once() -> None:
    """Whoever changed much wants to know all of it."""
    schema = changed(
        at(*FIELD, maxLength=9), at("properties", "count", minimum=1), at("properties", flag=...)
    )

    assert {str(found) for found in breaks(SCHEMA, schema)} == {
        "name: maxLength is now 9 (narrowed_length)",
        "count: minimum is now 1 (narrowed_range)",
        "flag: what it said is no longer read (removed_field)",
    }


def test_a_change_of_words_alone_is_nothing_to_publish() -> None:
    """Descriptions and titles can be mended without a new version; anything else can't."""
    words = changed(at("properties", "flag", description="Says it better."), at(title="Said"))

    assert constraints(words) == constraints(SCHEMA)
    assert constraints(changed(at("properties", new=TEXT))) != constraints(SCHEMA)
    assert constraints(changed(at(*FIELD, maxLength=11))) != constraints(SCHEMA)


@pytest.mark.parametrize("event", EVENT_TYPES)
def test_no_field_of_a_real_schema_can_be_taken_away_unseen(event: str) -> None:
    """Whatever block it is in, and however deep that is."""
    schema = documents.schemas()[event]
    for name, block in schema["$defs"].items():
        poorer = schema | {"$defs": schema["$defs"] | {name: block | {"properties": {}, "required": []}}}

        found = {
            each.where.rpartition(".")[2] for each in breaks(schema, poorer) if each.kind == "removed_field"
        }

        assert found == block["properties"].keys(), name


def test_a_real_schema_is_compared_in_depth() -> None:
    """One state of an item less, four levels down."""
    schema = documents.schemas()[OutcomeRecorded.TYPE]
    poorer = copy.deepcopy(schema)
    poorer["$defs"]["ItemOutcome"]["properties"]["state"]["enum"].remove("attached")

    found = breaks(schema, poorer)

    assert [(each.where, each.kind) for each in found] == [("data.items[].state", "removed_value")]
