"""The CloudEvents 1.0 envelope (structured mode, JSON) that surrounds every event.

The record's header is `content-type: application/cloudevents+json`, with `traceparent` where there is one. There are
no `ce_` headers.
"""

from typing import Annotated, ClassVar, Generic, Literal, TypeVar

from pydantic import ConfigDict, StringConstraints

from schemas.described import Described
from schemas.fields import VISIBLE_ASCII, EventId, SenderTime, TenantId

CONTENT_TYPE = "application/cloudevents+json"

Source = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=VISIBLE_ASCII)]
TypeName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=VISIBLE_ASCII)]
Subject = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=VISIBLE_ASCII)]


class Block(Described):
    """A part of an event: read strictly, never coerced, immutable; fields it does not know are passed over.

    What reads it is made at the first reading: no process needs them all.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", defer_build=True)


class EventData(Block):
    """The `data` of one type of event; `TYPE` is its stable name on the wire."""

    TYPE: ClassVar[str]


Data = TypeVar("Data", bound=EventData)


class Envelope(Block, Generic[Data]):
    """What every record of every topic is: one JSON document."""

    specversion: Literal["1.0"]
    id: EventId
    """Chosen by the writer, once per event. A record takes effect once per tenant and id."""
    source: Source
    """Who wrote it, as a URI reference: `/portal/backend`."""
    type: TypeName
    """What happened, with the version of what `data` looks like."""
    time: SenderTime
    """When, by the writer's clock; nothing is decided by it."""
    subject: Subject
    """What the event is about."""
    datacontenttype: Literal["application/json"]
    tenantid: TenantId
    """The accounting practice; the key of the record, in UTF-8."""
    causationid: EventId | None = None
    """The id of the event that led to this one."""
    data: Data
