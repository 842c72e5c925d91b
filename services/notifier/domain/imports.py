"""Imports, as requests and outcomes tell of them, in whichever order the two topics are read."""

from dataclasses import replace
from operator import attrgetter

from schemas.imports import ImportRequested
from schemas.outcomes import ImportOutcome
from services.notifier.domain.rows import REVIEWABLE, Key, Row, Stamp, may_tell

_stands = attrgetter("status", "waiting", "reason", "message", "counts")
"""What has to change for an import to count as moved, of a row as of an outcome."""


def requested(row: Row | None, key: Key, request: ImportRequested, at: int) -> Row:
    """The row once its request was read: queued at once; behind an outcome, the request adds what nobody else knows.

    Only the first request of an id counts.
    """
    name = request.personal.client_name if request.personal else None
    if row is None:
        return Row(
            key,
            requested_at=at,
            moved_at=at,
            status="queued",
            request_seen=True,
            requested_by=request.requested_by,
            client_id=request.client_id,
            bulk_id=request.bulk_id,
            client_name=name,
        )
    if row.request_seen:
        return row
    return replace(
        row,
        request_seen=True,
        moved_at=max(row.moved_at, at),
        client_id=row.client_id or request.client_id,
        client_name=row.client_name or name,
    )


def told(
    row: Row | None,
    key: Key,
    outcome: ImportOutcome,
    *,
    stamp: Stamp,
    requested_at: int,
    at: int,
    client_id: str | None,
    client_name: str | None,
) -> Row | None:
    """The row once an outcome was read; None if the outcome comes too late to tell anything.

    When it was requested and its bulk are as first seen, and never move. What stays the same does not count as a move.
    """
    if not may_tell(row, stamp, outcome.status):
        return row
    before = row or Row(key, requested_at, requested_at, "queued", bulk_id=outcome.bulk_id)
    return replace(
        before,
        status=outcome.status,
        waiting=outcome.waiting,
        reason=outcome.reason,
        message=outcome.message,
        counts=outcome.counts,
        reviewable=int(outcome.status in REVIEWABLE and outcome.counts.pending > 0),
        moved_at=before.moved_at if _stands(before) == _stands(outcome) else max(before.moved_at, at),
        outcome=stamp,
        requested_by=outcome.requested_by,
        client_id=client_id or before.client_id,
        client_name=client_name or before.client_name,
    )
