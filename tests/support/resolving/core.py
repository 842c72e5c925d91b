"""The resolver's pure core: entries in, tables and what was told of each record out, in the model's shapes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import asdict

from schemas.codec import Event, Unreadable, decode
from schemas.topics import OUTCOMES
from services.resolver.domain.fold import JournalRecord, Verdict, fold
from services.resolver.domain.state import World
from tests.support.journals.entries import Entry
from tests.support.model.fold import Tables
from tests.support.model.records import Row
from worker.records import Failed


@dataclass(frozen=True, slots=True)
class Told:
    """What the resolver says of one record: its verdict, and its outcome, in one or more parts."""

    result: str
    reason: str | None
    claims_id: bool
    first_offset: int | None
    parts: tuple[Event[Any], ...]


class Core:
    """The pure fold, over a world that is empty at first and stays in memory."""

    def __init__(self) -> None:
        self.world = World()

    def take(self, batch: Sequence[Entry]) -> list[Told]:
        verdicts = fold(self.world, [_journal_record(entry) for entry in batch])
        return [_told(verdict) for verdict in verdicts]

    def tables(self) -> Tables:
        """The rows that would be stored, each table sorted by its key."""
        tables: Tables = {
            name: [] for name in ("clients", "members", "links", "items", "imports", "co_owner_emails")
        }
        for tenant_id, state in sorted(self.world.tenants.items()):
            for name in ("clients", "members", "links", "items", "imports"):
                tables[name] += [
                    _row(tenant_id, entity) for _, entity in sorted(getattr(state, name).items())
                ]
            tables["co_owner_emails"] += [
                {"tenant_id": tenant_id, "email": email, **asdict(holder)}
                for email, holder in sorted(state.holders.items())
            ]
        return tables


def _journal_record(entry: Entry) -> JournalRecord:
    content = entry.incoming().content
    where = (entry.partition, entry.offset, entry.timestamp)
    match content:
        case Unreadable():
            return JournalRecord(*where, event=None, unreadable=content.why, key_tenant=entry.tenant_id)
        case Failed():
            return JournalRecord(*where, event=content.event, broken=True)
        case Event():
            return JournalRecord(*where, event=content)


def _told(verdict: Verdict) -> Told:
    """The verdict, with its outcomes read as strictly as every consumer reads them."""
    return Told(
        result=verdict.result,
        reason=verdict.reason,
        claims_id=verdict.claims_id,
        first_offset=verdict.first_offset,
        parts=tuple(decode(value, OUTCOMES) for value in verdict.outcomes),
    )


def _row(tenant_id: str, entity: Any) -> Row:
    row: Row = {"tenant_id": tenant_id, **asdict(entity)}
    if hasattr(entity, "digest"):
        row["digest"] = entity.digest
    if "listed" in row:
        listed = row.pop("listed")
        row["item_ids"] = sorted(listed) if listed is not None else None
    return row
