"""What each journal record came to, with everything that a reader needs to keep a read model of its own.

An outcome tells the state *as it is after that record alone*. Readers keep the highest `version` per item and import.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.envelope import Block, EventData
from schemas.fields import Digest, EventId, Identifier, Long, Name, ReasonCode, Short, StaffName, Timestamp
from schemas.imports import Count
from schemas.people import PersonDetails

Result = Literal["applied", "rejected", "failed"]
ItemState = Literal["pending", "imported", "linked", "ignored", "attached", "withdrawn"]
ImportStatus = Literal["fetching", "ready_for_review", "in_review", "completed", "failed", "superseded"]

Offset = Annotated[int, Field(ge=0, le=2**63 - 1)]


class Version(Block):
    """Where an outcome stands in the order of outcomes of a tenant: by journal offset, then by number of the swap."""

    offset: Offset
    """The offset of the record in the journal."""
    swap: Annotated[int, Field(ge=0, le=2**31 - 1)]


class RecordRef(Block):
    """The journal record that the outcome answers."""

    id: EventId
    type: Short
    subject: Long
    at: Timestamp
    """The record's broker timestamp."""


class Counts(Block):
    """An import's numbers. The states count the items of its list (before the list is known: those it staged last)."""

    staged: Count = 0
    pending: Count = 0
    imported: Count = 0
    linked: Count = 0
    ignored: Count = 0
    attached: Count = 0
    withdrawn: Count = 0
    left_out: Count = 0
    """Relationships that XPM has and that were not staged."""
    rejected: Count = 0
    """Decisions on its items that were refused."""
    replaced_fields: Count = 0


class Waiting(Block):
    """Until when an import waits, and why."""

    until: Timestamp
    why: ReasonCode


class ImportOutcome(Block):
    """An import after the record."""

    import_id: Identifier
    status: ImportStatus
    requested_by: StaffName
    requested_at: Timestamp
    bulk_id: Identifier | None = None
    waiting: Waiting | None = None
    reason: ReasonCode | None = None
    message: Long | None = None
    counts: Counts


class ItemOutcome(Block):
    """An item after the record."""

    item_id: Identifier
    import_id: Identifier
    xpm_party_id: Identifier
    state: ItemState
    digest: Digest
    """What a decision on the item has to carry as seen."""
    reason: ReasonCode | None = None
    member_id: Identifier | None = None


class MemberOutcome(Block):
    """A member that the record created, changed or removed."""

    member_id: Identifier
    digest: Digest
    """What a link to the member has to carry as seen."""
    co_owner: bool
    removed: bool = False


class EarlierDecision(Block):
    """Who decided before, and when; or which item took this one along."""

    state: ItemState
    decided_by: StaffName | None = None
    decided_at: Timestamp | None = None
    attached_by: Identifier | None = None
    """The item whose decision took this one along."""


class ClientOutcome(Block):
    """A client that the record created or amended."""

    xpm_client_id: Identifier | None = None
    created: bool
    added_by: StaffName | None = None


class ConnectionOutcome(Block):
    """The practice's connection after the record."""

    connection_id: Identifier
    state: Literal["connected", "reconnect_required", "disconnected"]
    changed_by: StaffName | None = None
    message: Long | None = None


class Replaced(Block):
    """One field whose value an import replaced."""

    of: Literal["client", "member"]
    id: Identifier
    field: Short
    before: Long
    after: Long


class PresentMember(PersonDetails):
    """A member's details as they are now."""

    relationship: Short | None = None
    co_owner: bool


class PresentItem(PersonDetails):
    """An item's details as they are now."""

    relationship: Short


class OutcomePersonal(Block):
    """The personal data of an outcome, in one piece."""

    client_name: Name | None = None
    practice_name: Name | None = None
    replaced: list[Replaced] = Field(default_factory=list)
    item: PresentItem | None = None
    """The present details, where they changed since they were seen."""
    member: PresentMember | None = None
    """The present details, where they changed since they were seen."""


class OutcomeRecorded(EventData):
    """What a journal record came to. A record with very many consequences has several parts, all of one version."""

    TYPE: ClassVar[str] = "muster.outcome.recorded.v1"

    partition: Annotated[int, Field(ge=0, le=2**31 - 1)]
    """The partition of the journal that the record is on."""
    version: Version
    part: Count = 0
    """Counts from 0."""
    parts: Count = 1
    record: RecordRef | None = None
    """Absent in outcomes that a swap publishes for the state of an item or import rather than for a record."""
    result: Result
    reason: ReasonCode | None = None
    """Why the record was refused, or has failed."""
    message: Long | None = None
    """The reason as a sentence for staff."""
    client_id: Identifier | None = None
    client: ClientOutcome | None = None
    connection: ConnectionOutcome | None = None
    earlier: EarlierDecision | None = None
    items: list[ItemOutcome] = Field(default_factory=list)
    imports: list[ImportOutcome] = Field(default_factory=list)
    members: list[MemberOutcome] = Field(default_factory=list)
    personal: OutcomePersonal | None = None
