"""The story of an import: the request, and the facts that the importer publishes about it."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.envelope import Block, EventData
from schemas.fields import CalendarDate, DecimalText, Identifier, Long, Name, Short, StaffName, Timestamp
from schemas.people import EntityDetails, PersonDetails

FailureReason = Literal[
    "not_connected",
    "reconnect_required",
    "client_not_linked",
    "client_not_found",
    "forbidden",
    "source_unavailable",
    "source_invalid",
]
WaitReason = Literal["quota_minute", "quota_day", "source_unavailable", "source_invalid"]

Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
ITEMS_OF_AN_IMPORT = 20_000


class RequestPersonal(Block):
    """What a queued import shows before anything else is known of it."""

    client_name: Name | None = None


class ImportRequested(EventData):
    """Somebody asks for an import of one client. The import's id is this event's id.

    Without an `xpm_client_id` the import fails as `client_not_linked`. Imports that share a `bulk_id` are summed up in
    one row of progress.
    """

    TYPE: ClassVar[str] = "muster.import.requested.v1"

    client_id: Identifier
    xpm_client_id: Identifier | None = None
    requested_by: StaffName
    bulk_id: Identifier | None = None
    """The same for all imports that were asked for at once."""
    personal: RequestPersonal | None = None


class ConnectionPersonal(Block):
    """The practice as XPM calls it, and who changed the connection."""

    practice_name: Name | None = None


class ConnectionChanged(EventData):
    """The practice's connection to XPM was made, lost or ended."""

    TYPE: ClassVar[str] = "muster.connection.changed.v1"

    connection_id: Identifier
    state: Literal["connected", "reconnect_required", "disconnected"]
    changed_by: StaffName | None = None
    message: Long | None = None
    """What staff have to know or do about it."""
    personal: ConnectionPersonal | None = None


class ImportFact(EventData):
    """What every fact of an import says: whose it is, and when it was requested by the broker's clock."""

    import_id: Identifier
    """The id of the `ImportRequested`."""
    client_id: Identifier
    requested_at: Timestamp
    """The broker timestamp of the request."""


class ImportStarted(ImportFact):
    """The importer took the request up; published before the first read of XPM. Its offset orders imports."""

    TYPE: ClassVar[str] = "muster.import.started.v1"

    xpm_client_id: Identifier | None = None
    requested_by: StaffName
    bulk_id: Identifier | None = None


class ImportWaiting(ImportFact):
    """The import waits, and goes on by itself at `until`."""

    TYPE: ClassVar[str] = "muster.import.waiting.v1"

    until: Timestamp
    """When it goes on."""
    why: WaitReason


class EntityStaged(ImportFact):
    """The client's own details as XPM has them; applied at once."""

    TYPE: ClassVar[str] = "muster.entity.staged.v1"

    xpm_client_id: Identifier
    personal: EntityDetails


class Relationship(Block):
    """A relationship as XPM holds it, in XPM's own words."""

    xpm_relationship_id: Identifier | None = None
    type: Short
    """Director, Shareholder, Trustee, Spouse and so on."""
    start_date: CalendarDate | None = None
    end_date: CalendarDate | None = None
    number_of_shares: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None
    percentage: DecimalText | None = None
    """A decimal number as text, so that nothing of it is lost in reading."""


class ItemStaged(ImportFact):
    """One relationship, waiting for a decision."""

    TYPE: ClassVar[str] = "muster.item.staged.v1"

    item_id: Identifier
    """Derived, so that it is the same at every import (`schemas.ids.item_id`)."""
    xpm_client_id: Identifier
    xpm_party_id: Identifier
    """The person or entity at the other end, by XPM's id."""
    relationship: Relationship
    archived: bool = False
    """Whether the party is archived in XPM."""
    stub: bool = False
    """Whether the party could not be read, so that only what the relationship holds is known."""
    details_as_of: Timestamp | None = None
    """When the party's details were read."""
    personal: PersonDetails


class LeftOut(Block):
    """How many relationships were left out, and why."""

    ended: Count = 0
    party_deleted: Count = 0
    unreadable: Count = 0


class ImportStaged(ImportFact):
    """Everything that XPM has for the client was staged; the list is complete."""

    TYPE: ClassVar[str] = "muster.import.staged.v1"

    xpm_client_id: Identifier
    item_ids: Annotated[list[Identifier], Field(max_length=ITEMS_OF_AN_IMPORT)]
    """The complete list of the items that this import staged."""
    left_out: LeftOut


class ImportFailed(ImportFact):
    """The import ended without staging anything."""

    TYPE: ClassVar[str] = "muster.import.failed.v1"

    reason: FailureReason
    message: Long
    """What a person can do about it, in a sentence."""
