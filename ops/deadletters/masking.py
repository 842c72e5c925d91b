"""An event without what is personal in it, for screens that others look at too.

What is shown is what the schema has a name for outside of the blocks of personal data: whatever else a writer may have
put into a record, readable or not, is hidden with them.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from schemas.envelope import Envelope, EventData
from schemas.topics import EVENT_TYPES

PERSONAL = "personal"
MASK = "…"


def masked(document: Any) -> Any:
    """The same document; every value that may be personal is `…`, and fields stay."""
    match document:
        case {"data": dict()}:
            return _without_unknown(document)
        case {"data": data}:
            return {**_without_unknown(document), "data": _mask(data)}
        case dict():
            return _without_unknown(document)
    return _mask(document)


def _without_unknown(value: Any) -> Any:
    match value:
        case dict():
            return {
                name: _without_unknown(each) if name in _known_names() else _mask(each)
                for name, each in value.items()
            }
        case list():
            return [_without_unknown(each) for each in value]
    return value


@cache
def _known_names() -> frozenset[str]:
    """Fields and keys of all our events that are not personal."""
    return frozenset(name for model in (Envelope[EventData], *EVENT_TYPES.values()) for name in _names(model))


def _names(model: Any) -> Iterator[str]:
    if isinstance(model, type) and issubclass(model, BaseModel):
        for name, field in model.model_fields.items():
            if name != PERSONAL:
                yield name
                yield from _names(field.annotation)
    for part in get_args(model):
        yield from _names(part)


def _mask(value: Any) -> Any:
    match value:
        case dict():
            return {name: _mask(each) for name, each in value.items()}
        case list():
            return [_mask(each) for each in value]
    return None if value is None else MASK
