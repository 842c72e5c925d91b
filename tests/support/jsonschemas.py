"""Validators for the published schemas, with patterns as JSON Schema means them: `$` is the very end."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from pydantic import TypeAdapter


def _pattern(_: Validator, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    assert pattern.endswith("$"), "a pattern that is not anchored allows anything after it"
    if isinstance(instance, str) and not re.search(pattern.removesuffix("$") + r"\Z", instance):
        yield ValidationError(f"does not match {pattern}")


_Validator = extend(Draft202012Validator, {"pattern": _pattern})


def validator(schema: Mapping[str, Any]) -> Validator:
    """A validator of the schema. Raises `jsonschema.SchemaError` for one that is no JSON Schema."""
    _Validator.check_schema(schema)
    return _Validator(schema)


def pattern_of(scalar: Any) -> re.Pattern[str]:
    """The pattern that the schema of a scalar type of the wire states."""
    return re.compile(TypeAdapter(scalar).json_schema()["pattern"].removesuffix("$") + r"\Z")
