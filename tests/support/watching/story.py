"""Requests and outcomes, made up in a line each."""

import time
from dataclasses import dataclass
from typing import Any

from schemas.codec import Event, decode, encode
from schemas.fields import timestamp
from schemas.imports import ConnectionChanged, ImportRequested, ImportStarted
from schemas.outcomes import OutcomeRecorded
from schemas.portal import ClientAdded
from schemas.topics import OUTCOMES, REQUESTS, Topic
from services.notifier.domain.ledger import Source
from worker.records import Incoming

NOON = (int(time.time()) // 86_400 * 86_400 - 43_200) * 1000
"""Yesterday's: what went on then is still shown by tables that go by the clock."""


@dataclass(frozen=True)
class Input:
    """A record of one of the two topics; `at` is the broker's timestamp."""

    topic: Topic
    at: int
    value: bytes

    @property
    def event(self) -> Event:
        return decode(self.value, self.topic)

    def source(self, offset: int, partition: int = 0) -> Source:
        return Source(self.topic.name, partition, offset, self.at, self.event.id)

    def incoming(self, offset: int, partition: int = 0) -> Incoming:
        event = self.event
        return Incoming(
            self.topic, partition, offset, self.at, event.tenant_id.encode(), self.value, [], content=event
        )


def request(
    import_id: str,
    *,
    at: int = NOON,
    tenant: str = "practice",
    client_id: str = "client",
    bulk: str | None = None,
    name: str | None = None,
    by: str = "Ann",
) -> Input:
    """Somebody asks for an import."""
    given: dict[str, Any] = {"client_id": client_id, "requested_by": by}
    if bulk:
        given["bulk_id"] = bulk
    if name:
        given["personal"] = {"client_name": name}
    return _input(REQUESTS, at, tenant, import_id, ImportRequested.model_validate(given))


def outcome(
    offset: int,
    *imports: dict[str, Any],
    at: int = NOON,
    swap: int = 0,
    tenant: str = "practice",
    client_id: str | None = "client",
    name: str | None = None,
    published_at: int | None = None,
    **others: Any,
) -> Input:
    """What a journal record came to, and which imports it moved; `others` are further fields of the outcome."""
    record = {"id": f"record-{offset}", "type": ImportStarted.TYPE, "subject": "any", "at": timestamp(at)}
    given: dict[str, Any] = {
        "partition": 0,
        "version": {"offset": offset, "swap": swap},
        "record": record,
        "result": "applied",
        "imports": list(imports),
        **others,
    }
    if client_id:
        given["client_id"] = client_id
    if name:
        given["personal"] = {**given.get("personal", {}), "client_name": name}
    data = OutcomeRecorded.model_validate(given)
    return _input(OUTCOMES, published_at or at, tenant, f"outcome-{offset}-{swap}", data)


def run(
    import_id: str,
    status: str,
    *,
    requested_at: int = NOON,
    bulk: str | None = None,
    by: str = "Ann",
    reason: str | None = None,
    waiting: str | None = None,
    **counts: int,
) -> dict[str, Any]:
    """An import in an outcome."""
    given: dict[str, Any] = {
        "import_id": import_id,
        "status": status,
        "requested_by": by,
        "requested_at": timestamp(requested_at),
        "counts": counts,
    }
    if bulk:
        given["bulk_id"] = bulk
    if reason:
        given |= {"reason": reason, "message": f"Because of {reason}."}
    if waiting:
        given["waiting"] = {"until": timestamp(requested_at + 60_000), "why": waiting}
    return given


def connection(
    offset: int, state: str, *, at: int = NOON, record_id: str | None = None, **others: Any
) -> Input:
    """The outcome of a change of the connection."""
    record = {
        "id": record_id or f"record-{offset}",
        "type": ConnectionChanged.TYPE,
        "subject": "any",
        "at": timestamp(at),
    }
    told = {"connection_id": "x", "state": state, "changed_by": "Ann"}
    personal = {"practice_name": "Birch & Co"}
    return outcome(offset, at=at, client_id=None, record=record, connection=told, personal=personal, **others)


def client_added(
    offset: int,
    *,
    at: int = NOON,
    record_id: str | None = None,
    created: bool = True,
    xpm_client: str | None = "xpm",
    **others: Any,
) -> Input:
    """The outcome of a client that was added."""
    record = {
        "id": record_id or f"record-{offset}",
        "type": ClientAdded.TYPE,
        "subject": "any",
        "at": timestamp(at),
    }
    told = {"xpm_client_id": xpm_client, "created": created, "added_by": "Ann"}
    return outcome(offset, at=at, record=record, name="Oak Pty Ltd", **{"client": told, **others})


def _input(topic: Topic, at: int, tenant: str, event_id: str, data: Any) -> Input:
    value = encode(data, id=event_id, source="/tests", time=timestamp(at), subject="any", tenant_id=tenant)
    return Input(topic, at, value)
