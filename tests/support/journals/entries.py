"""A journal as it lies on the log: entries, what the worker reads in them, and files of them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from schemas.codec import Event, Unreadable, decode
from schemas.topics import EVENT_TYPES, JOURNAL
from tests.support.model.records import Record
from worker.records import Failed, Incoming

PARTITION_OF = {"north": 0, "south": 1, "east": 0}
"""The made-up tenants; two of them share a partition."""

SENT_AT = "2026-11-23T09:00:00Z"


@dataclass(frozen=True, slots=True)
class Entry:
    """One record. `broken`: the resolver is said to break on it; `misrouted`: it is not where it belongs."""

    partition: int
    offset: int
    timestamp: int
    tenant_id: str
    value: bytes
    broken: bool = False
    misrouted: bool = False

    def incoming(self) -> Incoming:
        """The record as the worker hands it to the resolver."""
        return Incoming(
            topic=JOURNAL,
            partition=self.partition,
            offset=self.offset,
            timestamp=self.timestamp,
            key=self.tenant_id.encode(),
            value=self.value,
            headers=(("content-type", b"application/cloudevents+json"),),
            content=self._content(),
        )

    def record(self) -> Record:
        """The record as the model reads it."""
        content = self._content()
        if isinstance(content, Unreadable):
            return Record(self.partition, self.offset, self.timestamp, unreadable=content.why)
        document = json.loads(self.value)
        return Record(
            self.partition,
            self.offset,
            self.timestamp,
            tenant_id=document["tenantid"],
            event_id=document["id"],
            data=EVENT_TYPES[document["type"]].model_validate(document["data"]),
            document=document,
            broken=self.broken,
        )

    def line(self) -> str:
        """The entry as one line of a file."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(fields | {"value": self.value.decode("latin-1")})

    @classmethod
    def of_line(cls, line: str) -> Self:
        fields = json.loads(line)
        return cls(**fields | {"value": fields["value"].encode("latin-1")})

    def __repr__(self) -> str:
        """Short enough to read a whole journal of them in a failing test."""
        if isinstance(self._content(), Unreadable):
            return f"<{self.partition}@{self.offset} {self.value[:40]!r}>"
        document = json.loads(self.value)
        told = json.dumps(document["data"], ensure_ascii=False)
        marks = " broken" * self.broken
        return f"<{self.partition}@{self.offset} {self.tenant_id} {document['id']}{marks} {document['type']} {told}>"

    def _content(self) -> Event | Unreadable | Failed:
        if self.misrouted:
            return Unreadable("misrouted", "the key is not the tenant")
        try:
            event = decode(self.value, JOURNAL)
        except Unreadable as unreadable:
            return unreadable
        return Failed(event, "ZeroDivisionError") if self.broken else event


def document(
    tenant_id: str, event_id: str, type_name: str, subject: str, data: Mapping[str, Any]
) -> dict[str, Any]:
    """An event as a portal backend or the importer writes it."""
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": "muster/tests",
        "type": type_name,
        "time": SENT_AT,
        "subject": subject,
        "datacontenttype": "application/json",
        "tenantid": tenant_id,
        "data": dict(data),
    }


def encoded(event: Mapping[str, Any]) -> bytes:
    return orjson.dumps(event)


def write(path: Path, entries: Iterable[Entry]) -> None:
    path.write_text("".join(f"{entry.line()}\n" for entry in entries), encoding="utf-8")


def read(path: Path) -> list[Entry]:
    return [Entry.of_line(line) for line in path.read_text(encoding="utf-8").splitlines()]
