"""A dead letter, read back from its topic."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from schemas.fields import milliseconds
from schemas.ids import derived_id
from schemas.topics import TOPICS, Topic
from worker import redrive
from worker.deadletters import PREFIX

SOURCES = {topic.name: topic for topic in TOPICS if topic.dead_letters}
REDRIVE_HEADERS = frozenset({redrive.GROUP, redrive.LETTER, redrive.COUNT})
LONGEST_TENANT = 64


class Raw(Protocol):
    """A record as aiokafka gives it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What the letter says of itself, and the record as it came.

    `topic` (without a prefix), `partition` and `offset` are the record's own place, `kept_in` and what follows the
    letter's. Times are milliseconds since 1970. `headers` are the record's own, those of an earlier redrive left out;
    `redrives` is how often it was redriven before.
    """

    id: str
    group: str
    why: str
    detail: str
    error: str
    attempts: str
    topic: str
    partition: int
    offset: int
    timestamp: int
    kept_in: str
    kept_partition: int
    kept_offset: int
    kept_at: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    redrives: int
    tenant_id: str
    event_id: str
    event_type: str

    @property
    def source(self) -> Topic | None:
        """The topic that the record came from; None if the letter is not one of ours."""
        return SOURCES.get(self.topic) if self.group else None

    @property
    def place(self) -> str:
        return f"{self.topic}[{self.partition}]@{self.offset}"

    @property
    def short_type(self) -> str:
        """The event's type as lists show it."""
        return self.event_type.removeprefix("muster.")


def read(raw: Raw) -> DeadLetter:
    """Read a letter, as far as it can be read: anybody may write anything into a topic."""
    said = {
        name.removeprefix(PREFIX): value.decode("utf-8", "replace")
        for name, value in raw.headers
        if name.startswith(PREFIX) and value is not None
    }
    own = [(name, value) for name, value in raw.headers if not name.startswith(PREFIX)]
    counts = [value for name, value in own if name == redrive.COUNT]
    event_id, event_type = _names(raw.value)
    place = (raw.topic, raw.partition, raw.offset)
    return DeadLetter(
        id=said.get("id") or derived_id("", "foreign-dead-letter", *place),
        group=said.get("group", ""),
        why=said.get("why", "unknown"),
        detail=said.get("detail", ""),
        error=said.get("error", ""),
        attempts=said.get("attempts", ""),
        topic=said.get("topic", ""),
        partition=_number(said.get("partition"), -1),
        offset=_number(said.get("offset"), -1),
        timestamp=_time(said.get("timestamp"), raw.timestamp),
        kept_in=raw.topic,
        kept_partition=raw.partition,
        kept_offset=raw.offset,
        kept_at=raw.timestamp,
        key=raw.key,
        value=raw.value,
        headers=[(name, value) for name, value in own if name not in REDRIVE_HEADERS],
        redrives=_number((counts[-1] or b"").decode("ascii", "replace"), 0) if counts else 0,
        tenant_id=_tenant(raw.key),
        event_id=event_id,
        event_type=event_type,
    )


def document(value: bytes | None) -> Any:
    """The value as JSON, or None if it is none."""
    try:
        return orjson.loads(value) if value else None
    except orjson.JSONDecodeError:
        return None


def _names(value: bytes | None) -> tuple[str, str]:
    found = document(value)
    if not isinstance(found, dict):
        return "", ""
    return tuple(each if isinstance(each, str) else "" for each in (found.get("id"), found.get("type")))  # type: ignore[return-value]


def _tenant(key: bytes | None) -> str:
    """The tenant that the key names, as far as one can be read from it."""
    if key is None or not 1 <= len(key) <= LONGEST_TENANT or not all(0x21 <= byte <= 0x7E for byte in key):  # noqa: PLR2004 - visible ASCII
        return ""
    return key.decode()


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else otherwise


def _time(text: str | None, otherwise: int) -> int:
    try:
        return milliseconds(text) if text else otherwise
    except ValueError:
        return otherwise
