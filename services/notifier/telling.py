"""A record of `muster.progress` as a stream tells it."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from schemas.codec import Unreadable, decode
from schemas.fields import milliseconds
from schemas.progress import IntegrationProgressed
from schemas.topics import PROGRESS
from services.notifier import metrics
from services.notifier.domain.rows import VISIBLE_MS


class Raw(Protocol):
    """A record as aiokafka gives it."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


class StreamId(NamedTuple):
    """The id of a server-sent event: everything up to this place of `muster.progress` has been told."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}-{self.offset}"


@dataclass(frozen=True, slots=True)
class Told:
    """An event of one tenant, ready to be sent.

    `tell_until` (milliseconds since 1970) is when no client can have the row any more: 72 hours after the request, also
    where the event is that the row is over before.
    """

    tenant_id: str
    offset: int
    kind: str
    row_id: str
    version: int
    tell_until: int
    frame: bytes


def told(record: Raw) -> Told | None:
    """Make a record ready; None for one that is not readable, or whose key names another tenant than it does itself."""
    try:
        event = decode(record.value, PROGRESS)
    except Unreadable:
        metrics.UNTELLABLE.inc()
        return None
    if not isinstance(event.data, IntegrationProgressed) or record.key != event.tenant_id.encode():
        metrics.UNTELLABLE.inc()
        return None
    row = event.data
    return Told(
        event.tenant_id,
        record.offset,
        row.kind,
        row.row_id,
        row.version,
        milliseconds(row.requested_at) + VISIBLE_MS,
        frame("progress", row.model_dump_json(exclude_unset=True), StreamId(record.partition, record.offset)),
    )


def frame(event: str, data: str, stream_id: StreamId | None = None) -> bytes:
    """A server-sent event; `data` is compact JSON."""
    named = f"id: {stream_id}\n" if stream_id else ""
    return f"{named}event: {event}\ndata: {one_line(data)}\n\n".encode()


def one_line(json: str) -> str:
    """The same JSON without characters that are no line breaks to SSE, but are to some clients that read lines."""
    for character in "\x85\u2028\u2029":
        json = json.replace(character, f"\\u{ord(character):04x}")
    return json
