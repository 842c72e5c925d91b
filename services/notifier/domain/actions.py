"""Actions that are over when they are told: the connection changed, a client was added from XPM."""

from dataclasses import replace

from schemas.outcomes import OutcomeRecorded
from schemas.progress import ConnectionState, Status
from services.notifier.domain.rows import Key, Row, Stamp, may_tell

CONNECTION_STATUS: dict[ConnectionState, Status] = {
    "connected": "completed",
    "disconnected": "completed",
    "reconnect_required": "failed",
}


def connection_changed(row: Row | None, key: Key, outcome: OutcomeRecorded, at: int) -> Row | None:
    """The row of a change of the practice's connection to XPM."""
    told = outcome.connection
    if told is None:
        return row
    status = CONNECTION_STATUS[told.state]
    stamp = Stamp.of(outcome.version)
    if not may_tell(row, stamp, status):
        return row
    return Row(
        key,
        requested_at=row.requested_at if row else at,
        moved_at=at,
        status=status,
        version=row.version if row else 0,
        outcome=stamp,
        requested_by=told.changed_by,
        connection=told.state,
        reason=told.state if status == "failed" else None,
        message=told.message,
        practice_name=outcome.personal.practice_name if outcome.personal else None,
    )


def client_added(row: Row | None, key: Key, outcome: OutcomeRecorded, at: int) -> Row | None:
    """The row of a client that was added from XPM. One that a swap finds refused after all has failed."""
    client = outcome.client
    stamp = Stamp.of(outcome.version)
    if outcome.result != "applied":
        return refused(row, stamp, outcome)
    if (
        client is None
        or not client.created
        or client.xpm_client_id is None
        or not may_tell(row, stamp, "completed")
    ):
        return row
    return Row(
        key,
        requested_at=row.requested_at if row else at,
        moved_at=at,
        status="completed",
        version=row.version if row else 0,
        outcome=stamp,
        requested_by=client.added_by,
        client_id=outcome.client_id,
        client_name=outcome.personal.client_name if outcome.personal else None,
    )


def refused(row: Row | None, stamp: Stamp, outcome: OutcomeRecorded) -> Row | None:
    """What was never shown needs no row to say that it was refused."""
    if row is None or not may_tell(row, stamp, "failed"):
        return row
    return replace(row, status="failed", outcome=stamp, reason=outcome.reason, message=outcome.message)
