"""The AsyncAPI document is well formed, and says what is on the wire: no more, no less, no other."""

import json
from collections.abc import Iterator
from typing import Any, get_args

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.codec import WhyUnreadable
from schemas.envelope import CONTENT_TYPE, EventData
from schemas.publishing import documents
from schemas.publishing.applications import APPLICATIONS
from schemas.publishing.deadletters import WHY
from schemas.topics import DEAD_LETTERS, EVENT_TYPES, JOURNAL, TOPICS, Topic
from tests.support.events import records_of
from tests.support.jsonschemas import validator
from tests.support.mutations import mutations
from worker.deadletters import Cause, DeadLetters
from worker.publisher import EVENT_HEADERS, Letter
from worker.records import Incoming
from worker.settings import Settings
from worker.topics import wanted_config

DOCUMENT: dict[str, Any] = json.loads((documents.PUBLISHED / "asyncapi.json").read_text("utf-8"))
COMPONENTS = DOCUMENT["components"]
ALL_TOPICS = (*TOPICS, *DEAD_LETTERS)

each_topic = pytest.mark.parametrize("topic", ALL_TOPICS, ids=lambda topic: topic.name)
each_type = pytest.mark.parametrize("event", EVENT_TYPES.values(), ids=EVENT_TYPES)

FIELDS = {
    "document": (
        {"asyncapi", "info", "channels", "operations", "components"},
        {"servers", "defaultContentType"},
    ),
    "server": ({"host", "protocol"}, {"description", "variables"}),
    "channel": ({"address", "messages"}, {"description", "servers", "bindings"}),
    "channel binding": ({"partitions", "topicConfiguration", "bindingVersion"}, set()),
    "operation": ({"action", "channel", "messages"}, {"title", "description", "tags", "bindings"}),
    "message": (
        {"name", "title", "summary", "contentType", "headers", "payload", "bindings"},
        {"description", "examples", "correlationId"},
    ),
    "message binding": ({"key", "bindingVersion"}, set()),
}
"""What an object of each kind has to have and may have, of what AsyncAPI 3.0 and its Kafka bindings 0.5.0 allow."""


def component(kind: str, name: str) -> Any:
    """A component as a schema on its own, so that its references lead somewhere."""
    return validator({"$ref": f"#/components/{kind}/{name}", "components": COMPONENTS})


VALIDATORS = {name: validator(schema) for name, schema in documents.schemas().items()}
PAYLOADS = {name: component("schemas", name) for name in EVENT_TYPES}


def resolved(reference: dict[str, str]) -> Any:
    """What a reference leads to."""
    node: Any = DOCUMENT
    for step in reference["$ref"].removeprefix("#/").split("/"):
        node = node[step]
    return node


def references(node: Any) -> Iterator[dict[str, str]]:
    if isinstance(node, dict) and "$ref" in node:
        yield node
    elif isinstance(node, dict | list):
        for each in node.values() if isinstance(node, dict) else node:
            yield from references(each)


def objects() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of the document that is not a schema, with its kind."""
    yield "document", DOCUMENT
    yield from (("server", each) for each in DOCUMENT["servers"].values())
    yield from (("channel", each) for each in DOCUMENT["channels"].values())
    yield from (("channel binding", each["bindings"]["kafka"]) for each in DOCUMENT["channels"].values())
    yield from (("operation", each) for each in DOCUMENT["operations"].values())
    yield from (("message", each) for each in COMPONENTS["messages"].values())
    yield from (("message binding", binding(each)) for each in COMPONENTS["messages"].values())


def binding(message: dict[str, Any]) -> dict[str, Any]:
    given = message["bindings"]
    return (resolved(given) if "$ref" in given else given)["kafka"]


def test_every_object_has_the_fields_of_its_kind() -> None:
    """Version 3.0.0 of the document, 0.5.0 of the bindings, and no field that they do not know."""
    assert DOCUMENT["asyncapi"] == "3.0.0"
    for kind, node in objects():
        required, optional = FIELDS[kind]
        assert required <= node.keys() <= required | optional, (kind, node.keys())
        assert node.get("bindingVersion", "0.5.0") == "0.5.0"


def test_every_reference_leads_somewhere_and_stands_alone() -> None:
    """What stands beside a reference is not read by anybody."""
    found = list(references(DOCUMENT))

    assert len(found) > 100
    for each in found:
        assert resolved(each) is not None
        assert each.keys() == {"$ref"}


def test_channels_are_the_topics() -> None:
    """Under their names in Kafka."""
    assert {name: channel["address"] for name, channel in DOCUMENT["channels"].items()} == {
        topic.name: topic.name for topic in ALL_TOPICS
    }


@each_topic
def test_a_channel_is_as_its_topic_is_made(topic: Topic) -> None:
    """Partitions, retention, clean-up, clock and size are those with which a system makes the topic."""
    told = DOCUMENT["channels"][topic.name]["bindings"]["kafka"]
    made = wanted_config(topic, Settings())
    configuration = {
        name: ",".join(value) if isinstance(value, list) else str(value)
        for name, value in told["topicConfiguration"].items()
    }

    assert told["partitions"] == Settings().partitions(topic)
    assert configuration.keys() >= {"cleanup.policy", "retention.ms", "message.timestamp.type"}
    assert configuration.items() <= made.items()


@each_topic
def test_a_channel_carries_the_types_of_its_topic(topic: Topic) -> None:
    """Dead-letter topics carry dead letters."""
    names = [resolved(each)["name"] for each in DOCUMENT["channels"][topic.name]["messages"].values()]

    assert names == ([event.TYPE for event in topic.types] or [topic.name])


@each_type
def test_a_message_is_one_record_as_it_is_on_the_wire(event: type[EventData]) -> None:
    """An object in its envelope, never a list; with its content type, its headers and its key."""
    message = COMPONENTS["messages"][event.TYPE]
    example = message["examples"][0]
    record = documents.examples()[event.TYPE]

    assert message["contentType"] == CONTENT_TYPE
    assert example["payload"] == record
    assert PAYLOADS[event.TYPE].is_valid(record)
    assert not PAYLOADS[event.TYPE].is_valid([record])
    assert component("schemas", "Headers").is_valid(example["headers"])
    assert validator(binding(message)["key"]).is_valid(record["tenantid"])


@each_type
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(chosen=st.data())
def test_a_payload_is_what_its_json_schema_says(event: type[EventData], chosen: st.DataObject) -> None:
    """The two documents never disagree about a record."""
    record = chosen.draw(st.just(documents.examples()[event.TYPE]) | records_of(event))
    for _ in range(3):
        changed = chosen.draw(mutations(record))

        assert PAYLOADS[event.TYPE].is_valid(changed) == VALIDATORS[event.TYPE].is_valid(changed), changed


def test_the_headers_are_those_that_we_send() -> None:
    """`content-type` always, `traceparent` where there is one, and nothing of another binding."""
    headers = component("schemas", "Headers")
    sent = {name: (value or b"").decode() for name, value in EVENT_HEADERS}

    assert headers.is_valid(sent)
    assert headers.is_valid(sent | {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"})
    assert not headers.is_valid(sent | {"traceparent": "here"})
    assert not headers.is_valid({"content-type": "application/json"})
    assert not headers.is_valid({})


def test_the_key_says_how_to_find_the_partition() -> None:
    """In the one place where a portal engineer with librdkafka looks."""
    keys = {json.dumps(binding(COMPONENTS["messages"][name])["key"]) for name in EVENT_TYPES}

    assert len(keys) == 1
    assert "`partitioner=murmur2_random`" in keys.pop()


def test_a_dead_letter_has_the_headers_that_the_document_says() -> None:
    """As the services write them, for every reason there is."""
    assert set(WHY) == {*get_args(WhyUnreadable), "id_reused", "failed"}

    headers = component("schemas", "DeadLetterHeaders")
    for why in WHY:
        told = _headers(_letter(Cause(why, "where it breaks")))
        added = told.keys() - {"content-type"}

        headers.validate(told)
        assert added == COMPONENTS["schemas"]["DeadLetterHeaders"]["properties"].keys()
        assert added == set(COMPONENTS["schemas"]["DeadLetterHeaders"]["required"])


def test_a_dead_letter_with_other_headers_is_noticed() -> None:
    """The schema of the headers is one that can say no."""
    headers = component("schemas", "DeadLetterHeaders")
    told = _headers(_letter(Cause("not_json", "line 1, column 1")))

    assert not headers.is_valid(told | {"muster-dead-letter-why": "because"})
    assert not headers.is_valid(told | {"muster-dead-letter-offset": "first"})
    assert not headers.is_valid(
        {name: text for name, text in told.items() if name != "muster-dead-letter-id"}
    )


def test_everybody_sends_and_receives_what_they_do() -> None:
    """Every record of every topic has one sender; whoever receives a topic is told all that may come."""
    sent = {
        (_application(operation), resolved(each)["name"])
        for operation in DOCUMENT["operations"].values()
        if operation["action"] == "send"
        for each in map(resolved, operation["messages"])
    }
    received = {
        (_application(operation), operation["channel"]["$ref"].rpartition("/")[2])
        for operation in DOCUMENT["operations"].values()
        if operation["action"] == "receive"
    }

    assert len({name for _, name in sent if name in EVENT_TYPES}) == len(EVENT_TYPES)
    assert ("portal", "muster.item.linked.v1") in sent
    assert ("importer", "muster.item.staged.v1") in sent
    assert ("notifier", "muster.integration.progressed.v1") in sent
    assert {who for who, name in sent if name == "muster.requests.dead-letters"} == {"importer", "notifier"}
    assert received == {(each.name, topic.name) for each in APPLICATIONS for topic in each.receives}


def test_an_operation_speaks_of_its_own_channel() -> None:
    """And of its messages through that channel, as AsyncAPI wants it."""
    for name, operation in DOCUMENT["operations"].items():
        channel = operation["channel"]["$ref"]
        messages = [each["$ref"] for each in operation["messages"]]

        assert messages
        assert all(each.startswith(f"{channel}/messages/") for each in messages), name
        if operation["action"] == "receive":
            assert len(messages) == len(resolved(operation["channel"])["messages"])


def test_the_groups_are_those_of_the_services() -> None:
    """A portal backend chooses its own."""
    groups = {
        _application(operation): operation["bindings"]["kafka"]["groupId"]["enum"]
        for operation in DOCUMENT["operations"].values()
        if "bindings" in operation
    }

    assert groups == {name: [name] for name in ("importer", "resolver", "notifier")}


def _application(operation: dict[str, Any]) -> str:
    return str(operation["tags"][0]["name"])


def _letter(cause: Cause) -> Letter:
    value = orjson.dumps(documents.examples()["muster.item.ignored.v1"])
    record = Incoming(JOURNAL, 10, 88420, 1_795_424_400_123, b"harbour-lane", value, EVENT_HEADERS, None)
    return DeadLetters(publisher=None, group="resolver", epoch=1)._letter(record, cause)


def _headers(letter: Letter) -> dict[str, str]:
    return {name: (value or b"").decode() for name, value in letter.headers}
