"""The fold: records in journal order, each to what it comes to. No clock, no chance, no I/O."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from msgspec import Struct

from schemas.codec import Event
from schemas.decisions import ItemIgnored, ItemImported, ItemLinked
from schemas.imports import (
    ConnectionChanged,
    EntityStaged,
    ImportFailed,
    ImportStaged,
    ImportStarted,
    ImportWaiting,
    ItemStaged,
)
from schemas.portal import ClientAdded, MemberRecorded, MemberRemoved
from services.resolver.domain import decisions, imports, outcomes, portal
from services.resolver.domain.change import Change
from services.resolver.domain.entities import Claim
from services.resolver.domain.reasons import Refusal
from services.resolver.domain.state import TenantState, World

RESOLVER_FAILED = "resolver_failed"


class JournalRecord(Struct, frozen=True, gc=False):
    """One record of the journal: where it stands, the broker's timestamp (ms), and its event or why it has none.

    `key_tenant` is the tenant that the key of an unreadable record names, if it names one. `broken` says that the
    resolver could not store what the record came to: it is answered as failed.
    """

    partition: int
    offset: int
    at: int
    event: Event | None
    unreadable: str | None = None
    key_tenant: str = ""
    broken: bool = False


class Verdict(Struct, frozen=True):
    """What a record came to. `outcomes` are the encoded events; a repeat points to `first_offset` instead."""

    record: JournalRecord
    result: Literal["applied", "rejected", "failed", "unreadable", "repeated"]
    reason: str | None = None
    claims_id: bool = False
    first_offset: int | None = None
    client_id: str | None = None
    before: dict[str, dict[str, Any]] | None = None
    outcomes: tuple[bytes, ...] = ()
    error: Exception | None = None


def _connection_changed(_change: Change, _data: ConnectionChanged) -> None:
    """Recorded and published; no table holds it."""


RULES: dict[type, Callable[[Change, Any], None]] = {
    ClientAdded: portal.client_added,
    MemberRecorded: portal.member_recorded,
    MemberRemoved: portal.member_removed,
    ConnectionChanged: _connection_changed,
    ImportStarted: imports.import_started,
    ImportWaiting: imports.import_waiting,
    EntityStaged: imports.entity_staged,
    ItemStaged: imports.item_staged,
    ImportStaged: imports.import_staged,
    ImportFailed: imports.import_failed,
    ItemImported: decisions.item_imported,
    ItemIgnored: decisions.item_ignored,
    ItemLinked: decisions.item_linked,
}


def fold(world: World, records: Iterable[JournalRecord]) -> list[Verdict]:
    """Let each record take its effect on the world, and say what it came to."""
    return [judge(world, record) for record in records]


def judge(world: World, record: JournalRecord) -> Verdict:
    """Let one record take its effect on the world, and say what it came to."""
    event = record.event
    if event is None:
        return Verdict(record, "unreadable", record.unreadable)
    state = world.tenant(event.tenant_id)
    change = Change(state, event, record.offset, record.at)
    if record.broken:
        return _answer(world, record, change, "failed", RESOLVER_FAILED)
    claim = state.claims.get(event.id)
    if claim is not None and claim.content == event.content:
        return Verdict(record, "repeated", first_offset=claim.offset)
    if claim is not None:
        return _answer(world, record, change, "rejected", "id_reused")
    return _apply(world, record, state, change)


def _apply(world: World, record: JournalRecord, state: TenantState, change: Change) -> Verdict:
    refusal: Refusal | None = None
    try:
        try:
            RULES[type(change.event.data)](change, change.event.data)
        except Refusal as refused:
            refusal = refused
        change.complete_imports()
        verdict = (
            _refused(world, record, change, refusal) if refusal else _answer(world, record, change, "applied")
        )
    except Exception as error:  # noqa: BLE001 - whatever the bug, it costs this record and no other
        state.roll_back()
        untouched = Change(state, change.event, record.offset, record.at)
        return _answer(world, record, untouched, "failed", RESOLVER_FAILED, error=error)
    state.commit()
    state.claims[change.event.id] = Claim(record.offset, change.event.content)
    return verdict


def _refused(world: World, record: JournalRecord, change: Change, refusal: Refusal) -> Verdict:
    return _answer(world, record, change, "rejected", refusal.reason, refusal.present)


def _answer(
    world: World,
    record: JournalRecord,
    change: Change,
    result: Literal["applied", "rejected", "failed"],
    reason: str | None = None,
    present: Mapping[str, Any] | None = None,
    error: Exception | None = None,
) -> Verdict:
    return Verdict(
        record=record,
        result=result,
        reason=reason,
        claims_id=result != "failed" and reason != "id_reused",
        client_id=change.client_id,
        before=change.before or None,
        outcomes=outcomes.write(change, record.partition, world.swap, result, reason, present or {}),
        error=error,
    )
