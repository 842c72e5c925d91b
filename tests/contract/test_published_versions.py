"""What was published is kept, and is still read as it was meant."""

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.codec import Event
from schemas.publishing import documents
from schemas.publishing.history import CHECKSUMS, History
from schemas.topics import EVENT_TYPES
from tests.support.events import TOPIC_OF, reading
from tests.support.jsonschemas import validator

GOLDEN = Path(__file__).parent / "golden"
FOLDER = documents.PUBLISHED / "history"
VERSIONS = [
    (type_name, number, schema)
    for type_name, schemas in History(FOLDER).versions().items()
    for number, schema in enumerate(schemas, start=1)
]
MESSAGES = [
    pytest.param(type_name, message, id=f"{type_name}-{number}: {message['told']}")
    for type_name, number, _ in VERSIONS
    for message in json.loads((GOLDEN / type_name / f"{number}.json").read_text("utf-8"))
]


@pytest.fixture
def copied(tmp_path: Path) -> History:
    """The published versions, to be tampered with."""
    shutil.copytree(FOLDER, tmp_path / "history")
    return History(tmp_path / "history")


def test_every_type_was_published() -> None:
    """There is no type of event that could be changed at will."""
    assert {type_name for type_name, _, _ in VERSIONS} >= EVENT_TYPES.keys()


def test_what_was_published_stays_as_it_was() -> None:
    """Versions are added, and never mended."""
    assert History(FOLDER).damage() == []


def test_the_present_schemas_read_every_published_version() -> None:
    """Whatever was right once is still right, and means the same."""
    assert [f"{which}: {each}" for which, each in History(FOLDER).broken_promises(documents.schemas())] == []


@pytest.mark.parametrize(("type_name", "message"), MESSAGES)
def test_golden_messages_are_read_as_ever(type_name: str, message: dict[str, Any]) -> None:
    """Records of every version ever published come to the same values, defaults among them."""
    event = reading(orjson.dumps(message["record"]), TOPIC_OF[EVENT_TYPES[type_name]])

    assert isinstance(event, Event)
    assert _told(event.data.model_dump(), message["reads"]) == message["reads"]
    assert event.content.hex() == message["content"]


@pytest.mark.parametrize(("type_name", "number", "schema"), VERSIONS)
def test_golden_messages_are_of_their_version(type_name: str, number: int, schema: dict[str, Any]) -> None:
    """Each version has a record with the least it allows and one with all it knows, valid by its own schema."""
    messages = json.loads((GOLDEN / type_name / f"{number}.json").read_text("utf-8"))
    for message in messages:
        validator(schema).validate(message["record"])

    told = [_fields(message["record"]) for message in messages]
    assert any(fields < _fields_of(schema) for fields in told)
    assert any(fields >= _fields_of(schema) for fields in told)


def test_a_release_adds_nothing_where_nothing_changed(copied: History) -> None:
    """Releasing twice is releasing once."""
    copied.release(documents.schemas())

    assert copied.release(documents.schemas()) == []
    assert copied.damage() == []


def test_a_release_adds_what_changed_beside_what_was(copied: History) -> None:
    """The next version has the next number; the earlier ones and the other types stay as they are."""
    type_name = "muster.item.ignored.v1"
    present = copy.deepcopy(documents.schemas())
    present[type_name]["$defs"]["ItemIgnored"]["properties"]["why"] = {"type": "string"}
    copied.release(documents.schemas())
    before = copied.versions()

    added = copied.release(present)

    assert [file.name for file in added] == [f"{len(before[type_name]) + 1}.json"]
    assert copied.versions() == before | {type_name: [*before[type_name], present[type_name]]}
    assert copied.damage() == []


def test_a_published_file_that_is_touched_is_noticed(copied: History, tmp_path: Path) -> None:
    """Changed, taken away or slipped in: each is named."""
    folder = tmp_path / "history"
    (folder / "muster.item.ignored.v1" / "1.json").write_text("{}", "utf-8")
    (folder / "muster.item.linked.v1" / "1.json").unlink()
    (folder / "muster.item.linked.v1" / "7.json").write_text("{}", "utf-8")

    assert copied.damage() == [
        "muster.item.ignored.v1/1.json is not as it was published",
        "muster.item.linked.v1/1.json is not as it was published",
        "muster.item.linked.v1/7.json is not as it was published",
    ]


def test_checksums_are_those_that_everybody_can_check() -> None:
    """`sha256sum --check SHA256SUMS` says the same."""
    line = (FOLDER / CHECKSUMS).read_text("utf-8").splitlines()[0]

    assert len(line.split("  ")[0]) == 64
    assert (FOLDER / line.split("  ")[1]).exists()


def test_a_type_that_is_gone_is_a_broken_promise(copied: History) -> None:
    """The journal is kept for ever, and so are its readers."""
    present = {
        name: schema for name, schema in documents.schemas().items() if name != "muster.item.linked.v1"
    }

    broken = [(which, each.kind) for which, each in copied.broken_promises(present)]

    assert broken[0] == ("muster.item.linked.v1, version 1", "removed_type")


def _told(read: Any, expected: Any) -> Any:
    """What is read, without the fields that nobody knew when the expectation was written down."""
    if isinstance(expected, dict) and isinstance(read, dict):
        return {name: _told(read[name], expected[name]) for name in expected if name in read}
    if isinstance(expected, list) and isinstance(read, list) and len(read) == len(expected):
        return [_told(*pair) for pair in zip(read, expected, strict=True)]
    return read


def _fields(node: Any, where: str = "") -> set[str]:
    if isinstance(node, list):
        return {field for each in node for field in _fields(each, where)}
    if not isinstance(node, dict):
        return set()
    inner = {field for name, each in node.items() for field in _fields(each, f"{where}.{name}")}
    return {f"{where}.{name}" for name in node} | inner


def _fields_of(schema: dict[str, Any]) -> set[str]:
    """The paths of all fields that the schema names."""

    def walk(node: dict[str, Any], where: str) -> set[str]:
        if "$ref" in node:
            return walk(schema["$defs"][node["$ref"].removeprefix("#/$defs/")], where)
        inner = [walk(each, where) for each in (*node.get("anyOf", ()), *filter(None, [node.get("items")]))]
        named = node.get("properties", {})
        fields = {f"{where}.{name}" for name in named}
        return fields.union(*inner, *(walk(each, f"{where}.{name}") for name, each in named.items()))

    return walk(schema, "")
