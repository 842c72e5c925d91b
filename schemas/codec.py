"""Bytes to events and back. Reading is strict: a record is exactly the schema, or it is `Unreadable`."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Generic, Literal

import orjson
from msgspec import Struct
from pydantic import ValidationError
from typing_extensions import TypeVar

from schemas.envelope import Envelope, EventData
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


_envelope = Envelope[EventData].__pydantic_validator__
"""Any `data` will do for it: its own model reads it once the type is known."""


def decode(value: bytes | None, topic: Topic) -> Event:
    """Read one record of the topic. Raises `Unreadable`."""
    document = _document(value)
    try:
        envelope = _envelope.validate_python(document)
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
    data: Mapping[str, Any],
    *,
    id: str,  # noqa: A002 - the envelope's own word
    source: str,
    time: str,
    subject: str,
    tenant_id: str,
    causation_id: str | None = None,
) -> bytes:
    """Write an event whose data is at hand as JSON values; whoever calls this answers for the schema."""
    document: dict[str, Any] = {
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": type_name,
        "time": time,
        "subject": subject,
        "datacontenttype": "application/json",
        "tenantid": tenant_id,
    }
    if causation_id is not None:
        document["causationid"] = causation_id
    document["data"] = data
    return orjson.dumps(document)


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


def _model(type_name: str, topic: Topic) -> type[EventData]:
    model = EVENT_TYPES.get(type_name)
    if model is None or model not in topic.types:
        raise Unreadable("unknown_type", f"{topic.name} carries no event of this type")
    return model


def _places(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or 'event'}: {each['type']}" for each in found[:5])
