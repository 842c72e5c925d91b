"""Bytes to events and back. Reading is strict: a record is exactly the schema, or it is `Unreadable`."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Annotated, Any, Generic, Literal

import msgspec
import orjson
from msgspec import Meta, Struct
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypeVar

from schemas.envelope import Envelope, EventData
from schemas.fields import SenderTime
from schemas.topics import EVENT_TYPES, MAX_EVENT_BYTES, Topic

WhyUnreadable = Literal["too_large", "not_json", "not_schema", "unknown_type", "misrouted"]

Data = TypeVar("Data", bound=EventData, default=EventData)


class Unreadable(Exception):
    """The record is not an event of its topic. Keep it as a dead letter; reading it again will not help.

    `detail` says where it breaks, and never repeats a value.
    """

    def __init__(self, why: WhyUnreadable, detail: str) -> None:
        super().__init__(f"{why}: {detail}")
        self.why = why
        self.detail = detail


class Event(Struct, Generic[Data], frozen=True, gc=False):
    """An event as read. `content` is a digest of type, subject and data as parsed: equal content, equal event."""

    id: str
    source: str
    type: str
    time: str
    subject: str
    tenant_id: str
    causation_id: str | None
    data: Data
    content: bytes


class _Surroundings(Struct, gc=False):
    """What `Envelope` says of all but `data`, for msgspec, which checks it in a sixth of the time."""

    specversion: Literal["1.0"]
    id: Annotated[str, Meta(min_length=1, max_length=128)]
    source: Annotated[str, Meta(min_length=1, max_length=255)]
    type: Annotated[str, Meta(min_length=1, max_length=100)]
    time: str
    subject: Annotated[str, Meta(min_length=1, max_length=255)]
    datacontenttype: Literal["application/json"]
    tenantid: Annotated[str, Meta(min_length=1, max_length=64)]
    causationid: Annotated[str, Meta(min_length=1, max_length=128)] | None = None


class _Written(Struct, omit_defaults=True, gc=False):
    """The envelope as it is written, in the order of its fields."""

    specversion: str
    id: str
    source: str
    type: str
    time: str
    subject: str
    datacontenttype: str
    tenantid: str
    causationid: str | None = None
    data: Mapping[str, Any] | Struct | None = None


_write = msgspec.json.Encoder().encode
_Envelope = Envelope[EventData]
"""Any `data` will do for it: its own model reads it once the type is known."""
_time = TypeAdapter(SenderTime).validator


def decode(value: bytes | None, topic: Topic) -> Event:
    """Read one record of the topic. Raises `Unreadable`."""
    document = _document(value)
    try:
        envelope = _plain(document) or _Envelope.__pydantic_validator__.validate_python(document)
        model = _model(envelope.type, topic)
        data = model.__pydantic_validator__.validate_python(document["data"])
        content = content_digest(envelope.type, envelope.subject, document["data"])
    except ValidationError as error:
        raise Unreadable("not_schema", _places(error)) from None
    except (RecursionError, orjson.JSONEncodeError):
        raise Unreadable("not_schema", "nested too deeply") from None
    return Event(
        id=envelope.id,
        source=envelope.source,
        type=envelope.type,
        time=envelope.time,
        subject=envelope.subject,
        tenant_id=envelope.tenantid,
        causation_id=envelope.causationid,
        data=data,
        content=content,
    )


def encode(
    data: EventData,
    *,
    id: str,  # noqa: A002 - the envelope's own word
    source: str,
    time: str,
    subject: str,
    tenant_id: str,
    causation_id: str | None = None,
) -> bytes:
    """Write an event. The same arguments give the same bytes; fields that were not set are left out."""
    return envelope(
        data.TYPE,
        data.model_dump(exclude_unset=True),
        id=id,
        source=source,
        time=time,
        subject=subject,
        tenant_id=tenant_id,
        causation_id=causation_id,
    )


def envelope(
    type_name: str,
    data: Mapping[str, Any] | Struct,
    *,
    id: str,  # noqa: A002 - the envelope's own word
    source: str,
    time: str,
    subject: str,
    tenant_id: str,
    causation_id: str | None = None,
) -> bytes:
    """Write an event whose data is at hand as JSON values or structs; whoever calls this answers for the schema."""
    return _write(
        _Written(
            "1.0",
            id,
            source,
            type_name,
            time,
            subject,
            "application/json",
            tenant_id,
            causation_id,
            data,
        )
    )


def content_digest(type_name: str, subject: str, data: Any) -> bytes:
    """Sixteen bytes that are equal for events of equal type, subject and data."""
    canonical = orjson.dumps([type_name, subject, data], option=orjson.OPT_SORT_KEYS)
    return blake2b(canonical, digest_size=16).digest()


def _document(value: bytes | None) -> dict[str, Any]:
    if not value:
        raise Unreadable("not_json", "the record is empty")
    if len(value) > MAX_EVENT_BYTES:
        raise Unreadable("too_large", f"{len(value)} bytes, where {MAX_EVENT_BYTES} are read")
    try:
        document = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise Unreadable("not_json", f"line {error.lineno}, column {error.colno}") from None
    if not isinstance(document, dict):
        raise Unreadable("not_schema", "the record is not a JSON object")
    return document


def _plain(document: dict[str, Any]) -> _Surroundings | None:
    """The envelope, if it is plainly right. Any other is `Envelope`'s to read, or to say what is wrong with it."""
    try:
        found = msgspec.convert(document, _Surroundings)
        _time.validate_python(found.time)
    except (msgspec.ValidationError, ValidationError):
        return None
    words = f"{found.id}{found.source}{found.type}{found.subject}{found.tenantid}{found.causationid or ''}"
    visible = words.isascii() and words.isprintable() and " " not in words
    return found if visible and type(document.get("data")) is dict else None


def _model(type_name: str, topic: Topic) -> type[EventData]:
    model = EVENT_TYPES.get(type_name)
    if model is None or model not in topic.types:
        raise Unreadable("unknown_type", f"{topic.name} carries no event of this type")
    return model


def _places(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or 'event'}: {each['type']}" for each in found[:5])
