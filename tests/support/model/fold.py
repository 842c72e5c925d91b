"""The fold: records in, tables and answers out."""

import pickle
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.decisions import ItemIgnored, ItemImported, ItemLinked
from schemas.envelope import EventData
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
from tests.support.model import decisions, imports, portal
from tests.support.model.counting import settle
from tests.support.model.practice import OPEN, Practice, Turn
from tests.support.model.records import Record, Refused, Replaced, Row, Sentence

Tables = dict[str, list[Row]]


def _connection_changed(practice: Practice, turn: Turn) -> None:
    """Always applied; no table holds it."""


RULES: Mapping[type[EventData], Callable[[Practice, Turn], None]] = {
    ClientAdded: portal.client_added,
    MemberRecorded: portal.member_recorded,
    MemberRemoved: portal.member_removed,
    ConnectionChanged: _connection_changed,
    ImportStarted: imports.import_started,
    ImportWaiting: imports.import_waiting,
    ImportFailed: imports.import_failed,
    EntityStaged: imports.entity_staged,
    ItemStaged: imports.item_staged,
    ImportStaged: imports.import_staged,
    ItemImported: decisions.item_imported,
    ItemIgnored: decisions.item_ignored,
    ItemLinked: decisions.item_linked,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a record came to. `items`, `imports` and `members` are the rows that changed, as they are now.

    `earlier` is the decision that stood in the way, `present` the details that changed since they were seen; `before`
    and `after` are the tenant's state around the record.
    """

    result: str
    reason: str | None = None
    claims_id: bool = False
    first_offset: int | None = None
    items: Mapping[str, Row] = field(default_factory=dict)
    imports: Mapping[str, Row] = field(default_factory=dict)
    members: Mapping[str, Row] = field(default_factory=dict)
    replaced: tuple[Replaced, ...] = ()
    earlier: Row | None = None
    present: Mapping[str, Row] | None = None
    before: Practice | None = None
    after: Practice | None = None


class Model:
    """Every tenant's state, and what was answered to whom."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self.practices: dict[str, Practice] = {}
        self.claimed: dict[tuple[str, str], Record] = {}
        self.answers = [self.take(record) for record in records]

    def practice(self, tenant_id: str) -> Practice:
        return self.practices.setdefault(tenant_id, Practice(tenant_id))

    def take(self, record: Record) -> Answer:
        """Fold one record, and say what it came to."""
        if record.unreadable is not None:
            return Answer("unreadable", record.unreadable)
        if record.broken:
            return Answer("failed", "resolver_failed", after=self.practice(record.tenant_id))
        first = self.claimed.get((record.tenant_id, record.event_id))
        if first is not None and first.content == record.content:
            return Answer("repeated", first_offset=first.offset)
        if first is not None:
            return Answer("rejected", "id_reused", after=self.practice(record.tenant_id))
        self.claimed[record.tenant_id, record.event_id] = record
        return self._apply(record)

    def tables(self) -> Tables:
        """The tables of the generation, each sorted by its key."""
        practices = [self.practices[tenant_id] for tenant_id in sorted(self.practices)]
        return {
            "clients": [row for each in practices for row in _by_id(each.clients)],
            "members": [
                row | {"digest": decisions.member_digest(row)}
                for each in practices
                for row in _by_id(each.members)
            ],
            "links": [row for each in practices for row in _by_id(each.links)],
            "items": [
                row | {"digest": decisions.item_digest(row)}
                for each in practices
                for row in _by_id(each.items)
            ],
            "imports": [row for each in practices for row in _by_id(each.imports)],
            "co_owner_emails": [row for each in practices for row in _by_id(each.emails())],
        }

    def _apply(self, record: Record) -> Answer:
        before, turn = self.practice(record.tenant_id), Turn(record, record.data)
        after = _copy(before)
        refusal = None
        try:
            RULES[type(turn.data)](after, turn)
            _count_applied(after, turn)
        except Refused as refused:
            after, refusal = _copy(before), refused
            _count_rejected(after, turn, refused)
        settle(after)
        self.practices[record.tenant_id] = after
        return Answer(
            result="rejected" if refusal else "applied",
            reason=refusal.reason if refusal else None,
            claims_id=True,
            items=_changed(before.items, after.items),
            imports=_changed(before.imports, after.imports),
            members=_changed(before.members, after.members),
            replaced=() if refusal else tuple(turn.replaced),
            earlier=refusal.earlier if refusal else None,
            present=refusal.present if refusal else None,
            before=before,
            after=after,
        )


def _copy(practice: Practice) -> Practice:
    """A deep copy; pickle makes it five times as fast as `copy.deepcopy`, which would take most of a test's time."""
    copied = pickle.loads(pickle.dumps(practice))
    assert isinstance(copied, Practice)
    return copied


def _count_applied(practice: Practice, turn: Turn) -> None:
    """What only grows: `staged`, `replaced_fields`."""
    data = turn.data
    if isinstance(data, EntityStaged | ItemStaged):
        runs = [practice.imports[data.import_id]]
    elif isinstance(data, ItemLinked):
        runs = practice.open_imports_that_hold(practice.items[data.item_id])
    else:
        return
    for run in runs:
        if run["status"] in OPEN:
            run["counts"]["staged"] += isinstance(data, ItemStaged)
            run["counts"]["replaced_fields"] += len(turn.replaced)


def _count_rejected(practice: Practice, turn: Turn, refused: Refused) -> None:
    """The effects that a refused record has all the same: `rejected` grows, or an import fails."""
    data = turn.data
    if isinstance(data, ItemImported | ItemIgnored | ItemLinked) and data.item_id in practice.items:
        for run in practice.open_imports_that_hold(practice.items[data.item_id]):
            run["counts"]["rejected"] += 1
    run_to_fail = practice.imports.get(refused.fails_import or "")
    if run_to_fail is not None and run_to_fail["status"] in OPEN:
        imports.end_wait(run_to_fail)
        run_to_fail.update(status="failed", reason=refused.reason, message=Sentence())


def _by_id(rows: Mapping[Any, Row]) -> list[Row]:
    return [rows[key] for key in sorted(rows)]


def _changed(before: Mapping[str, Row], after: Mapping[str, Row]) -> dict[str, Row]:
    return {key: row for key, row in after.items() if before.get(key) != row}
