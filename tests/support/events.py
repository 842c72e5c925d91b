"""Events of every type, made up from the models that read them, down to the edges of what they allow."""

import types
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st
from pydantic import BaseModel, StringConstraints
from pydantic.fields import FieldInfo
from pydantic.json_schema import SkipJsonSchema

from schemas.codec import Event, Unreadable, decode
from schemas.envelope import Envelope, EventData
from schemas.fields import VISIBLE_ASCII, WITHOUT_NUL
from schemas.topics import TOPICS, Topic

TOPIC_OF: Mapping[type[EventData], Topic] = {event: topic for topic in TOPICS for event in topic.types}
LONGEST_LIST = 3

_ALPHABETS = {
    VISIBLE_ASCII: st.characters(min_codepoint=ord("!"), max_codepoint=ord("~")),
    WITHOUT_NUL: st.characters(exclude_characters="\0", exclude_categories=("Cs",)),
}
_PLAIN = {type(None): st.none(), bool: st.booleans()}
_LETTERS = {VISIBLE_ASCII: "x", WITHOUT_NUL: "😀"}


def reading(value: bytes | None, topic: Topic) -> Event | Unreadable:
    """What the reader makes of a record; whatever else it raises is a bug and comes through."""
    try:
        return decode(value, topic)
    except Unreadable as found:
        return found


@cache
def records_of(event: type[EventData]) -> st.SearchStrategy[dict[str, Any]]:
    """Whole records of the type, as JSON values, with any of their optional fields."""
    surroundings = get_type_hints(Envelope, include_extras=True)
    fields = {name: _values(surroundings[name]) for name in ("id", "source", "time", "subject", "tenantid")}
    told = {
        "specversion": st.just("1.0"),
        "type": st.just(event.TYPE),
        "datacontenttype": st.just("application/json"),
        "data": _block(event),
    }
    return st.fixed_dictionaries(
        {**fields, **told}, optional={"causationid": _values(surroundings["causationid"])}
    )


def _block(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    hints = get_type_hints(model, include_extras=True)
    fields = {name: (field.is_required(), _values(hints[name])) for name, field in model.model_fields.items()}
    return st.fixed_dictionaries(
        {name: values for name, (required, values) in fields.items() if required},
        optional={name: values for name, (required, values) in fields.items() if not required},
    )


def _values(hint: Any) -> st.SearchStrategy[Any]:
    arguments = get_args(hint)
    match get_origin(hint) or hint:
        case origin if origin is Annotated:
            return _annotated(arguments[0], arguments[1:])
        case origin if origin in (Union, types.UnionType):
            return st.one_of(*(_values(each) for each in arguments if SkipJsonSchema() not in get_args(each)))
        case origin if origin is list:
            return st.lists(_values(arguments[0]), max_size=LONGEST_LIST)
        case origin if origin is Literal:
            return st.sampled_from(arguments)
    return _PLAIN[hint] if hint in _PLAIN else _block(hint)


def _annotated(hint: Any, metadata: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    for each in metadata:
        if isinstance(each, StringConstraints):
            return _texts(each)
        if isinstance(each, FieldInfo) and hint is int:
            return _numbers(each)
    return _values(hint)


def _texts(told: StringConstraints) -> st.SearchStrategy[str]:
    least, most, pattern = told.min_length or 0, told.max_length, str(told.pattern)
    if pattern not in _ALPHABETS:
        return st.from_regex(pattern, fullmatch=True).filter(lambda text: most is None or len(text) <= most)
    short = st.text(_ALPHABETS[pattern], min_size=least, max_size=20)
    return short | st.just(_LETTERS[pattern] * (most or 20))


def _numbers(told: FieldInfo) -> st.SearchStrategy[int]:
    least, most = (
        next(getattr(each, name) for each in told.metadata if hasattr(each, name)) for name in ("ge", "le")
    )
    return st.integers(least, most) | st.sampled_from((least, most))
