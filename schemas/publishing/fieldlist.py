"""A schema as a list of its fields, one line each, for people."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.fields import VISIBLE_ASCII, WITHOUT_NUL

Schema = Mapping[str, Any]

FORMATS = {"date": "date", "date-time": "instant"}
TEXTS = {VISIBLE_ASCII: "visible ASCII", WITHOUT_NUL: "text"}


@dataclass(frozen=True, slots=True)
class Line:
    """One field: its path, what it holds, whether it has to be there, and what it means."""

    field: str
    kind: str
    presence: str
    meaning: str


def lines(schema: Schema) -> Iterator[Line]:
    """The fields of a record, each with the fields inside it."""
    return _lines("", schema, schema)


def _lines(where: str, block: Schema, document: Schema) -> Iterator[Line]:
    required = block.get("required", ())
    for name, given in block["properties"].items():
        field = _Field(given, document)
        yield Line(where + name, field.kind, field.presence(required=name in required), field.meaning)
        if inner := field.block:
            yield from _lines(f"{where}{name}{'[]' * field.is_list}.", inner, document)


class _Field:
    """A field's schema, looked at without references and without *or null*."""

    def __init__(self, given: Schema, document: Schema) -> None:
        choices = given.get("anyOf", [given])
        self._given = given
        self._nullable = {"type": "null"} in choices
        self._schema = _resolved(next(each for each in choices if each != {"type": "null"}), document)
        self._items = _resolved(self._schema.get("items", {}), document)

    @property
    def is_list(self) -> bool:
        return bool(self._schema.get("type") == "array")

    @property
    def block(self) -> Schema | None:
        inner = self._items if self.is_list else self._schema
        return inner if "properties" in inner else None

    @property
    def kind(self) -> str:
        if self.is_list:
            most = f", at most {self._schema['maxItems']}" if "maxItems" in self._schema else ""
            return f"list{most}; each: {_kind(self._items)}"
        return _kind(self._schema) + " or null" * self._nullable

    @property
    def meaning(self) -> str:
        told = self._given.get("description") or (self.block or {}).get("description", "")
        return str(told).replace("\n\n", " ")

    def presence(self, *, required: bool) -> str:
        default = self._given.get("default")
        return "required" if required else "" if default is None else f"`{default}` if absent".lower()


def _resolved(schema: Schema, document: Schema) -> Schema:
    reference = schema.get("$ref")
    return document["$defs"][reference.removeprefix("#/$defs/")] if reference else schema


def _kind(schema: Schema) -> str:
    if "const" in schema or "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    match schema["type"]:
        case "object":
            return "block"
        case "integer":
            return f"integer, {schema['minimum']} to {schema['maximum']}"
        case "string":
            return _text(schema)
        case other:
            return str(other)


def _text(schema: Schema) -> str:
    if "format" in schema:
        return FORMATS[schema["format"]]
    kind = TEXTS.get(schema["pattern"], f"`{schema['pattern']}`")
    least, most = schema.get("minLength", 0), schema["maxLength"]
    return f"{kind}, {most}" if least == most else f"{kind}, {least} to {most}"
