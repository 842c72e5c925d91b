"""One JSON Schema (2020-12) per type of event: of the whole record, as strict and as tolerant as the reader."""

import re
from typing import Any, cast

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from schemas.envelope import Envelope, EventData

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_LINE_END_INSIDE_PARAGRAPH = re.compile(r"(?<!\n)\n(?!\n)")


class _Generator(GenerateJsonSchema):
    """Leaves out what says nothing: titles that repeat a field's name, and null as a default."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - pydantic's own signature
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        described = super().default_schema(schema)
        if described.get("default", ...) is None:
            del described["default"]
        return described


def envelope_schema() -> dict[str, Any]:
    """The schema of what surrounds every event."""
    return _schema(EventData)


def record_schema(event: type[EventData]) -> dict[str, Any]:
    """The schema of a record of this type. Unknown fields are allowed everywhere: readers pass over them."""
    schema = _schema(event)
    kind = schema["properties"]["type"]
    schema["properties"]["type"] = {"const": event.TYPE, "type": "string", "description": kind["description"]}
    return {
        "$schema": DIALECT,
        "$id": f"urn:muster:{event.TYPE}",
        "title": event.__name__,
        "description": schema["$defs"][event.__name__]["description"],
        "type": "object",
        "required": schema["required"],
        "properties": schema["properties"],
        "$defs": schema["$defs"],
    }


def _schema(event: type[EventData]) -> dict[str, Any]:
    envelope = cast("type[Envelope[EventData]]", Envelope.__class_getitem__(event))
    return cast("dict[str, Any]", _unfolded(envelope.model_json_schema(schema_generator=_Generator)))


def _unfolded(node: Any) -> Any:
    """The schema with each paragraph of a description on one line."""
    if isinstance(node, list):
        return [_unfolded(each) for each in node]
    if not isinstance(node, dict):
        return node
    unfolded = {key: _unfolded(value) for key, value in node.items()}
    if isinstance(description := unfolded.get("description"), str):
        unfolded["description"] = _LINE_END_INSIDE_PARAGRAPH.sub(" ", description)
    return unfolded
