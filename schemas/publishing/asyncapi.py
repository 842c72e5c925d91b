"""The AsyncAPI 3.0 document: topics as channels, records as messages, and who sends and receives them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.envelope import CONTENT_TYPE, EventData
from schemas.outcomes import OutcomeRecorded
from schemas.publishing import deadletters
from schemas.publishing.applications import APPLICATIONS, Application
from schemas.publishing.records import envelope_schema, record_schema
from schemas.topics import DEAD_LETTERS, EVENT_TYPES, MAX_EVENT_BYTES, MAX_RECORD_BYTES, TOPICS, Topic

BINDING = {"bindingVersion": "0.5.0"}
KEY = (
    "The tenant's id in UTF-8, equal to the `tenantid` of the event. The partition is Java's murmur2 of the key, as "
    "Java clients and aiokafka compute it by default; with librdkafka set `partitioner=murmur2_random`. A record with "
    "another key or on another partition is not processed."
)
TRACEPARENT = "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"

Node = dict[str, Any]


def document(version: str, examples: Mapping[str, Any]) -> Node:
    """The document of the whole system; `examples` holds a record for each type of event."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Muster",
            "version": version,
            "description": (
                "Brings the people around an accounting practice's clients out of Xero Practice Manager into a client "
                "portal. Every record is one JSON document: a CloudEvents 1.0 envelope in structured mode. Fields that "
                f"a reader does not know are passed over. A record has at most {MAX_EVENT_BYTES} bytes."
            ),
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {"kafka": _server()},
        "channels": {topic.name: _channel(topic) for topic in (*TOPICS, *DEAD_LETTERS)},
        "operations": {name: each for application in APPLICATIONS for name, each in _operations(application)},
        "components": {
            "messages": {name: _message(event, examples[name]) for name, event in EVENT_TYPES.items()}
            | {topic.name: _dead_letter(topic) for topic in DEAD_LETTERS},
            "schemas": _schemas(),
            "correlationIds": {
                "cause": {
                    "description": "The id of the record that this answers.",
                    "location": "$message.payload#/causationid",
                }
            },
            "messageBindings": {"tenant": {"kafka": {"key": _key(), **BINDING}}},
        },
    }


def _reference(kind: str, name: str) -> Node:
    return {"$ref": f"#/components/{kind}/{name}"}


def _server() -> Node:
    return {
        "host": "{bootstrap}",
        "protocol": "kafka",
        "description": "The Kafka of the installation.",
        "variables": {"bootstrap": {"default": "localhost:9092", "description": "Bootstrap servers."}},
    }


def _channel(topic: Topic) -> Node:
    names = [event.TYPE for event in topic.types] or [topic.name]
    kept = "for ever" if topic.retention is None else f"{topic.retention.days} days"
    return {
        "address": topic.name,
        "description": f"Written by {topic.writers}, kept {kept}.",
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": {name: _reference("messages", name) for name in names},
        "bindings": {
            "kafka": {"partitions": topic.partitions, "topicConfiguration": _configuration(topic), **BINDING}
        },
    }


def _configuration(topic: Topic) -> Node:
    retention = -1 if topic.retention is None else int(topic.retention.total_seconds() * 1000)
    configuration = {
        "cleanup.policy": ["delete"],
        "retention.ms": retention,
        "message.timestamp.type": "LogAppendTime",
    }
    return (
        configuration if topic.is_dead_letters else {**configuration, "max.message.bytes": MAX_RECORD_BYTES}
    )


def _operations(application: Application) -> Iterable[tuple[str, Node]]:
    for topic, events in application.sends.items():
        yield _operation(application, "send", topic, [event.TYPE for event in events])
    for topic in application.receives:
        yield _operation(application, "receive", topic, [event.TYPE for event in topic.types])
    for letters in application.dead_letters:
        yield _operation(application, "send", letters, [letters.name])


def _operation(application: Application, action: str, topic: Topic, names: Iterable[str]) -> tuple[str, Node]:
    channel = f"#/channels/{topic.name}"
    operation: Node = {
        "action": action,
        "title": f"{application.name} {action}s {topic.name}",
        "description": application.purpose,
        "channel": {"$ref": channel},
        "tags": [{"name": application.name}],
        "messages": [{"$ref": f"{channel}/messages/{name}"} for name in names],
    }
    if action == "receive" and application.is_service:
        group = {"type": "string", "enum": [application.name]}
        operation["bindings"] = {"kafka": {"groupId": group, **BINDING}}
    return f"{application.name}-{action}s-{topic.name}", operation


def _message(event: type[EventData], example: Any) -> Node:
    summary, _, description = record_schema(event)["description"].partition("\n\n")
    message = {
        "name": event.TYPE,
        "title": event.__name__,
        "summary": summary,
        "description": description,
        "contentType": CONTENT_TYPE,
        "headers": _reference("schemas", "Headers"),
        "payload": _reference("schemas", event.TYPE),
        "bindings": _reference("messageBindings", "tenant"),
        "examples": [{"headers": {"content-type": CONTENT_TYPE}, "payload": example}],
    }
    if event is OutcomeRecorded:
        message["correlationId"] = _reference("correlationIds", "cause")
    return {key: value for key, value in message.items() if value}


def _dead_letter(topic: Topic) -> Node:
    return {
        "name": topic.name,
        "title": "Dead letter",
        "summary": "A record that could not be processed: its key, its bytes and its headers as they were.",
        "contentType": "application/octet-stream",
        "headers": _reference("schemas", "DeadLetterHeaders"),
        "payload": _reference("schemas", "AnyBytes"),
        "bindings": {"kafka": {"key": {"description": "The key of the record, or none."}, **BINDING}},
    }


def _schemas() -> Node:
    schemas: Node = {
        "Envelope": _envelope(),
        "Headers": _headers(),
        "DeadLetterHeaders": _dead_letter_headers(),
        "AnyBytes": {"description": "Whatever bytes the record had, or none."},
    }
    for event in EVENT_TYPES.values():
        record = _at_home(record_schema(event))
        schemas[event.TYPE] = _record(event, record)
        for name, part in record["$defs"].items():
            if schemas.setdefault(name, part) != part:
                raise ValueError(f"two parts of events are called {name}")
    return schemas


def _at_home(schema: Node) -> Node:
    """The schema with its references pointing into the document's components."""
    moved: Node = json.loads(json.dumps(schema).replace('"#/$defs/', '"#/components/schemas/'))
    return moved


def _envelope() -> Node:
    """What all records have in common."""
    schema = envelope_schema()
    return {
        "description": "The CloudEvents 1.0 envelope that surrounds every event.",
        "type": "object",
        "required": [name for name in schema["required"] if name != "data"],
        "properties": {name: each for name, each in schema["properties"].items() if name != "data"},
    }


def _key() -> Node:
    return {**envelope_schema()["properties"]["tenantid"], "description": KEY}


def _record(event: type[EventData], record: Node) -> Node:
    own = {
        "type": "object",
        "required": ["type", "data"],
        "properties": {name: record["properties"][name] for name in ("type", "data")},
    }
    return {"title": f"{event.__name__} in its envelope", "allOf": [_reference("schemas", "Envelope"), own]}


def _headers() -> Node:
    return {
        "type": "object",
        "required": ["content-type"],
        "properties": {
            "content-type": {"type": "string", "const": CONTENT_TYPE},
            "traceparent": {
                "type": "string",
                "pattern": TRACEPARENT,
                "description": "W3C trace context, where there is one.",
            },
        },
    }


def _dead_letter_headers() -> Node:
    return {
        "type": "object",
        "description": "Beside these, the headers of the original record; all of these are text in UTF-8.",
        "required": [deadletters.PREFIX + name for name in deadletters.HEADERS],
        "properties": {
            deadletters.PREFIX + name: {**schema, "description": meaning}
            for name, (schema, meaning) in deadletters.HEADERS.items()
        },
    }
