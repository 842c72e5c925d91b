"""What is shown of a row: the event that tells it in full, and the way back from there."""

from typing import Any, TypeVar

from schemas.fields import milliseconds, timestamp
from schemas.outcomes import Counts
from schemas.progress import BulkCounts, IntegrationProgressed, ProgressPersonal
from services.notifier.domain.rows import VISIBLE_MS, Key, Row, Stamp
from services.notifier.domain.sentences import what_to_do

Numbers = TypeVar("Numbers", Counts, BulkCounts)


def snapshot(row: Row) -> IntegrationProgressed:
    """The row as readers see it; values that are not there are left out."""
    return IntegrationProgressed(
        row_id=row.key.row_id,
        kind=row.key.kind,
        version=row.version,
        status=row.status,
        requested_at=timestamp(row.requested_at),
        moved_at=timestamp(row.moved_at),
        visible_until=timestamp(row.requested_at + VISIBLE_MS),
        to_review=row.reviewable > 0,
        counts=_in_full(row.counts),
        **_present(
            requested_by=row.requested_by,
            client_id=row.client_id,
            bulk_id=row.bulk_id,
            connection=row.connection,
            waiting=row.waiting,
            reason=row.reason,
            message=row.message,
            what_to_do=what_to_do(row),
            bulk=row.bulk and _in_full(row.bulk),
            personal=_personal(row),
        ),
    )


def row_of(
    tenant_id: str,
    shown: IntegrationProgressed,
    *,
    outcome: Stamp | None,
    request_seen: bool,
    bulk_from: int | None,
    reviewable: int,
) -> Row:
    """The row that a snapshot shows, with what it does not show."""
    personal = shown.personal or ProgressPersonal()
    return Row(
        Key(tenant_id, shown.kind, shown.row_id),
        requested_at=milliseconds(shown.requested_at),
        moved_at=milliseconds(shown.moved_at),
        status=shown.status,
        version=shown.version,
        outcome=outcome,
        request_seen=request_seen,
        bulk_from=bulk_from,
        reviewable=reviewable,
        requested_by=shown.requested_by,
        client_id=shown.client_id,
        bulk_id=shown.bulk_id,
        connection=shown.connection,
        waiting=shown.waiting,
        reason=shown.reason,
        message=shown.message,
        counts=shown.counts,
        bulk=shown.bulk,
        client_name=personal.client_name,
        practice_name=personal.practice_name,
    )


def _in_full(counts: Numbers) -> Numbers:
    """With zeros as numbers like any others, so that readers need not know which ones may be absent."""
    return type(counts)(**counts.model_dump())


def _personal(row: Row) -> ProgressPersonal | None:
    present = _present(client_name=row.client_name, practice_name=row.practice_name)
    return ProgressPersonal(**present) if present else None


def _present(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
