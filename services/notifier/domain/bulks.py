"""The row of a bulk sums up its imports, by what each of them adds and takes away when it changes."""

from dataclasses import replace
from typing import TypeVar

from schemas.outcomes import Counts
from schemas.progress import BulkCounts, Status
from services.notifier.domain.rows import RANKS, Key, Row

Numbers = TypeVar("Numbers", Counts, BulkCounts)

LARGEST_COUNT = 2**31 - 1
ALONE = {status: BulkCounts.model_validate({"total": 1, status: 1}) for status in RANKS}
"""A bulk of one import."""
OPEN: tuple[Status, ...] = ("queued", "fetching", "ready_for_review", "in_review")


def key_of(run: Row) -> Key | None:
    """The row that sums this import up, if it belongs to a bulk."""
    return Key(run.key.tenant_id, "bulk_import", run.bulk_id) if run.bulk_id else None


def opened(key: Key, first: Row) -> Row:
    """A bulk without numbers; when it was requested, and by whom, is said by its first import as first seen."""
    return Row(
        key,
        requested_at=first.requested_at,
        moved_at=first.requested_at,
        status="queued",
        requested_by=first.requested_by,
        bulk_id=first.bulk_id,
        bulk=BulkCounts(total=0),
    )


def summed(bulk: Row, before: Row | None, after: Row) -> Row:
    """The bulk once one of its imports changed; `before` is None for one that joins."""
    imports = _balance(
        bulk.bulk or BulkCounts(total=0), ALONE[before.status] if before else None, ALONE[after.status]
    )
    return replace(
        bulk,
        moved_at=max(bulk.moved_at, after.moved_at),
        status=status_of(imports),
        reviewable=bulk.reviewable + after.reviewable - (before.reviewable if before else 0),
        counts=_balance(bulk.counts, before.counts if before else None, after.counts),
        bulk=imports,
    )


def status_of(imports: BulkCounts) -> Status:
    """A bulk is as far as the least advanced of its imports.

    Once all have ended it is completed if any is; failed if none is and any failed; superseded if all are. So it goes
    back when another import joins, and for no other reason but a swap.
    """
    for status in OPEN:
        if getattr(imports, status):
            return status
    if imports.completed:
        return "completed"
    return "failed" if imports.failed else "superseded"


def _balance(total: Numbers, minus: Numbers | None, plus: Numbers) -> Numbers:
    taken = dict(minus) if minus else {}
    added = dict(plus)
    return total.model_copy(
        update={name: _held(value + added[name] - taken.get(name, 0)) for name, value in total}
    )


def _held(number: int) -> int:
    """Not more than the wire takes, which nobody reaches who has not made the numbers up."""
    return min(max(number, 0), LARGEST_COUNT)
