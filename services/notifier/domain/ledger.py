"""The fold of a batch: the rows that it touches as they were, and what each input makes of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from schemas.codec import Event
from schemas.fields import milliseconds
from schemas.imports import ConnectionChanged, ImportRequested
from schemas.outcomes import OutcomeRecorded
from schemas.portal import ClientAdded
from services.notifier.domain import actions, bulks, imports
from services.notifier.domain.rows import Key, Row, Stamp, is_visible


class Source(NamedTuple):
    """Which input it was: its place in Kafka, the broker's timestamp and the event's id."""

    topic: str
    partition: int
    offset: int
    at: int
    event_id: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A row after a batch. `cause` is the last input that changed what readers see, or None if none did."""

    row: Row
    cause: Source | None


def touched(event: Event) -> Iterator[Key]:
    """The rows that an event may change, but for bulks that only the rows themselves know of."""
    match event.data:
        case ImportRequested(bulk_id=bulk_id):
            yield Key(event.tenant_id, "import", event.id)
            if bulk_id:
                yield Key(event.tenant_id, "bulk_import", bulk_id)
        case OutcomeRecorded() as outcome:
            for each in outcome.imports:
                yield Key(event.tenant_id, "import", each.import_id)
                if each.bulk_id:
                    yield Key(event.tenant_id, "bulk_import", each.bulk_id)
            if action := action_key(event.tenant_id, outcome):
                yield action


def action_key(tenant_id: str, outcome: OutcomeRecorded) -> Key | None:
    """The row of an action that a journal record is by itself."""
    if outcome.record is None or outcome.part:
        return None
    match outcome.record.type:
        case ConnectionChanged.TYPE:
            return Key(tenant_id, "connection", outcome.record.id)
        case ClientAdded.TYPE:
            return Key(tenant_id, "client_added", outcome.record.id)
        case _:
            return None


class Ledger:
    """Folds inputs into rows. `rows` are those touched that exist; at `now` some of them are no longer visible.

    A row that is gone, and an input that would make one which is already gone, change nothing.
    """

    def __init__(self, rows: Iterable[Row], now: int) -> None:
        self._before = {row.key: row for row in rows}
        self._rows = dict(self._before)
        self._causes: dict[Key, Source] = {}
        self._now = now

    def read(self, event: Event, source: Source) -> None:
        """Fold one input."""
        match event.data:
            case ImportRequested() as request:
                key = Key(event.tenant_id, "import", event.id)
                self._import(imports.requested(self._rows.get(key), key, request, source.at), source)
            case OutcomeRecorded() as outcome:
                self._outcome(event.tenant_id, outcome, source)

    def changes(self) -> list[Changed]:
        """The rows that are to be stored, those that readers see changed last and in the order in which they did.

        With each such change a version grows. A row that went and came back is as readers have it: it is not told.
        """
        seen = {
            key: cause
            for key, cause in self._causes.items()
            if not self._rows[key].looks_like(self._before.get(key))
        }
        changed = [row for key, row in self._rows.items() if row is not self._before.get(key)]
        unseen = [Changed(row, None) for row in changed if row.key not in seen]
        return unseen + [_told(self._rows[key], cause) for key, cause in seen.items()]

    def _outcome(self, tenant_id: str, outcome: OutcomeRecorded, source: Source) -> None:
        at = milliseconds(outcome.record.at) if outcome.record else source.at
        # A request is older than whatever it came to, so a later timestamp is not the broker's.
        for told in outcome.imports:
            key = Key(tenant_id, "import", told.import_id)
            row = imports.told(
                self._rows.get(key),
                key,
                told,
                stamp=Stamp.of(outcome.version),
                requested_at=min(milliseconds(told.requested_at), at),
                at=at,
                client_id=outcome.client_id,
                client_name=outcome.personal.client_name if outcome.personal else None,
            )
            self._import(row, source)
        if action := action_key(tenant_id, outcome):
            fold = actions.connection_changed if action.kind == "connection" else actions.client_added
            self._put(fold(self._rows.get(action), action, outcome, at), source)

    def _import(self, after: Row | None, source: Source) -> None:
        if after is None:
            return
        before = self._rows.get(after.key)
        if after is not before and is_visible(after.requested_at, self._now):
            self._put(self._summed_up(before, after, source), source)

    def _summed_up(self, before: Row | None, after: Row, source: Source) -> Row:
        """Let the bulk's row follow; the import remembers which row counts it, for a bulk may outlive its first row."""
        key = bulks.key_of(after)
        if key is None:
            return after
        bulk = self._rows.get(key)
        if before is None:
            bulk = bulk or bulks.opened(key, after)
            after = replace(after, bulk_from=bulk.requested_at)
        if bulk and bulk.requested_at == after.bulk_from:
            self._put(bulks.summed(bulk, before, after), source)
        return after

    def _put(self, after: Row | None, source: Source) -> None:
        if after is None or not is_visible(after.requested_at, self._now):
            return
        before = self._rows.get(after.key)
        if after != before:
            self._rows[after.key] = after
        if not after.looks_like(before):
            self._causes.pop(after.key, None)
            self._causes[after.key] = source


def _told(row: Row, cause: Source) -> Changed:
    """A version is the broker's time of the change, so that it goes on growing when the tables had to be made anew."""
    return Changed(replace(row, version=max(row.version + 1, cause.at)), cause)
