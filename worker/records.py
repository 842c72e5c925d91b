"""A record as it came off Kafka, read as far as it can be read."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import Struct

from schemas.codec import Event, Unreadable
from schemas.topics import Topic

Headers = Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Failed:
    """A readable record on which the service itself breaks; `error` names the exception's class, never its message."""

    event: Event
    error: str


class Incoming(Struct, frozen=True, gc=False):
    """One record, and what it holds. `timestamp` is the broker's, in milliseconds since 1970 (UTC)."""

    topic: Topic
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    content: Event | Unreadable | Failed


class Outgoing(Struct, frozen=True, gc=False):
    """An encoded event, to be published under its tenant's key."""

    topic: Topic
    tenant_id: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Span:
    """The records of one partition from `since` up to and not including `until`."""

    topic: Topic
    partition: int
    since: int
    until: int
