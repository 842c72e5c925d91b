"""Integration progress: the list of all integration actions of the past 72 hours, as dashboards follow it."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.envelope import Block, EventData
from schemas.fields import EventId, Identifier, Long, Name, ReasonCode, StaffName, Timestamp
from schemas.imports import Count
from schemas.outcomes import Counts, Waiting

VISIBLE_HOURS = 72

Kind = Literal["import", "bulk_import", "connection", "client_added"]
Status = Literal["queued", "fetching", "ready_for_review", "in_review", "completed", "failed", "superseded"]
ConnectionState = Literal["connected", "reconnect_required", "disconnected"]


class BulkCounts(Block):
    """How the imports of one bulk stand."""

    total: Count
    queued: Count = 0
    fetching: Count = 0
    ready_for_review: Count = 0
    in_review: Count = 0
    completed: Count = 0
    failed: Count = 0
    superseded: Count = 0


class ProgressPersonal(Block):
    """The personal data of a row, in one piece."""

    client_name: Name | None = None
    practice_name: Name | None = None


class IntegrationProgressed(EventData):
    """A full snapshot of one row of integration progress. Readers keep the highest `version` per (`kind`, `row_id`)."""

    TYPE: ClassVar[str] = "muster.integration.progressed.v1"

    row_id: EventId
    """The import's id, the bulk's id, or the id of the journal record."""
    kind: Kind
    version: Annotated[int, Field(ge=1, le=2**63 - 1)]
    """Grows with every snapshot of the row."""
    status: Status
    requested_at: Timestamp
    """By the broker's clock; never moves."""
    moved_at: Timestamp
    """When the row last changed, by the broker timestamp of what changed it."""
    visible_until: Timestamp
    """72 hours after `requested_at`; where a row turned out to follow from nothing, when that was found."""
    requested_by: StaffName | None = None
    client_id: Identifier | None = None
    bulk_id: Identifier | None = None
    connection: ConnectionState | None = None
    """What became of the practice's connection, in rows of that kind."""
    waiting: Waiting | None = None
    reason: ReasonCode | None = None
    message: Long | None = None
    what_to_do: Long | None = None
    """A sentence for staff."""
    to_review: bool = False
    """Whether something waits for a decision."""
    counts: Counts
    bulk: BulkCounts | None = None
    personal: ProgressPersonal | None = None
