"""Whether a schema still reads whatever an earlier one allowed, and still says everything that it said.

Knows the keywords that our schemas use and refuses any other, so that no constraint slips through. Where it cannot tell
(a pattern that is another), it says *break*: the way out is a new type beside the old one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "removed_type",
    "removed_field",
    "new_required_field",
    "newly_required",
    "narrowed_type",
    "removed_value",
    "changed_pattern",
    "narrowed_length",
    "narrowed_range",
    "changed_default",
]
Schema = Mapping[str, Any]

ANNOTATIONS = frozenset({"$schema", "$id", "title", "description", "format", "$defs"})
CONSTRAINTS = frozenset(
    {
        "$ref",
        "anyOf",
        "type",
        "const",
        "enum",
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "items",
        "maxItems",
        "properties",
        "required",
        "default",
    }
)
LOWER_LIMITS: dict[str, Kind] = {"minLength": "narrowed_length", "minimum": "narrowed_range"}
UPPER_LIMITS: dict[str, Kind] = {
    "maxLength": "narrowed_length",
    "maxItems": "narrowed_length",
    "maximum": "narrowed_range",
}


@dataclass(frozen=True, slots=True)
class Break:
    """One way in which what was right before is no longer read, or no longer read as it was meant."""

    where: str
    kind: Kind
    detail: str

    def __str__(self) -> str:
        return f"{self.where or 'the record'}: {self.detail} ({self.kind})"


class UnknownKeyword(Exception):
    """A schema uses a keyword whose effect on compatibility nobody has thought about: teach this module."""


def breaks(before: Schema, now: Schema) -> list[Break]:
    """Every break between a published schema and the one that is to read its records. Raises `UnknownKeyword`."""
    return list(_breaks("", _inlined(before, before), _inlined(now, now)))


def constraints(schema: Schema) -> Any:
    """What of a schema decides whether a record is valid and what it means: equal constraints, nothing to publish."""
    return _inlined(schema, schema)


def _inlined(node: Schema, document: Schema) -> dict[str, Any]:
    """The node with references replaced by what they point to, and without annotations."""
    if unknown := set(node) - ANNOTATIONS - CONSTRAINTS:
        raise UnknownKeyword(", ".join(sorted(unknown)))
    if reference := node.get("$ref"):
        return _inlined(document["$defs"][reference.removeprefix("#/$defs/")], document)
    inlined = {key: value for key, value in node.items() if key in CONSTRAINTS}
    if "properties" in node:
        inlined["properties"] = {name: _inlined(each, document) for name, each in node["properties"].items()}
    if "items" in node:
        inlined["items"] = _inlined(node["items"], document)
    if "anyOf" in node:
        inlined["anyOf"] = [_inlined(each, document) for each in node["anyOf"]]
    return inlined


def _breaks(where: str, before: Schema, now: Schema) -> Iterator[Break]:
    if before.get("default") != now.get("default"):
        yield Break(where, "changed_default", "leaving it out no longer means what it meant")
    allowed = _alternatives(now)
    for alternative in _alternatives(before):
        found = [
            list(_breaks_of_one(where, alternative, each))
            for each in allowed
            if _same_type(alternative, each)
        ]
        if not found:
            yield Break(where, "narrowed_type", f"{alternative.get('type', 'any type')} is no longer allowed")
        else:
            yield from min(found, key=len)


def _alternatives(schema: Schema) -> Sequence[Schema]:
    alternatives: Sequence[Schema] = schema.get("anyOf", [schema])
    return alternatives


def _same_type(before: Schema, now: Schema) -> bool:
    return "type" not in now or before.get("type") == now["type"]


def _breaks_of_one(where: str, before: Schema, now: Schema) -> Iterator[Break]:
    yield from _removed_values(where, before, now)
    yield from _narrowed(where, before, now)
    yield from _breaks_of_fields(where, before, now)
    if "items" in now:
        yield from _breaks(f"{where}[]", before.get("items", {}), now["items"])


def _removed_values(where: str, before: Schema, now: Schema) -> Iterator[Break]:
    allowed = _values(now)
    if allowed is None:
        return
    told = _values(before)
    if told is None:
        yield Break(where, "removed_value", "only some values are allowed where any was")
    elif gone := [value for value in told if value not in allowed]:
        yield Break(where, "removed_value", f"no longer allowed: {', '.join(map(str, gone))}")


def _values(schema: Schema) -> Sequence[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _narrowed(where: str, before: Schema, now: Schema) -> Iterator[Break]:
    if "pattern" in now and now["pattern"] != before.get("pattern"):
        yield Break(where, "changed_pattern", "the pattern is another")
    for keyword, kind in LOWER_LIMITS.items():
        if keyword in now and now[keyword] > before.get(keyword, float("-inf")):
            yield Break(where, kind, f"{keyword} is now {now[keyword]}")
    for keyword, kind in UPPER_LIMITS.items():
        if keyword in now and now[keyword] < before.get(keyword, float("inf")):
            yield Break(where, kind, f"{keyword} is now {now[keyword]}")


def _breaks_of_fields(where: str, before: Schema, now: Schema) -> Iterator[Break]:
    told, read = before.get("properties", {}), now.get("properties", {})
    for name in now.get("required", ()):
        if name not in told:
            yield Break(_inside(where, name), "new_required_field", "nobody who wrote before knows it")
        elif name not in before.get("required", ()):
            yield Break(_inside(where, name), "newly_required", "it could be left out before")
    for name, schema in told.items():
        if name in read:
            yield from _breaks(_inside(where, name), schema, read[name])
        else:
            yield Break(_inside(where, name), "removed_field", "what it said is no longer read")


def _inside(where: str, name: str) -> str:
    return f"{where}.{name}".removeprefix(".")
