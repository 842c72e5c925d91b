"""Descriptions of fields in JSON schemas, from the strings that stand below the fields.

Pydantic's own `use_attribute_docstrings` reads the source of every class when the class is made, for which each process
would wait at its start. Here it is read when a schema is asked for.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class Described(BaseModel):
    """A model whose JSON schema says what its fields mean."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler, /
    ) -> JsonSchemaValue:
        schema = handler(core_schema)
        fields = handler.resolve_ref_schema(schema).get("properties", {})
        for name, text in _descriptions(cls).items():
            if name in fields:
                fields[name].setdefault("description", text)
        return schema


def _descriptions(model: type[BaseModel]) -> dict[str, str]:
    """What stands below each field, where it was declared last."""
    return {
        name: text
        for each in reversed(model.__mro__)
        if issubclass(each, Described) and not each.__pydantic_generic_metadata__["origin"]
        for name, text in _below_fields(each).items()
    }


@cache
def _below_fields(model: type[BaseModel]) -> dict[str, str]:
    try:
        source = textwrap.dedent(inspect.getsource(model))
    except (OSError, TypeError):  # it was made without any
        return {}
    (made,) = ast.parse(source).body
    assert isinstance(made, ast.ClassDef)
    return dict(_strings(made.body))


def _strings(statements: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for each, below in pairwise(statements):
        match each, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, inspect.cleandoc(text)
