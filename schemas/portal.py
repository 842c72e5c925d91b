"""Facts that portal backends publish: clients, and members recorded by hand. They may be refused."""

from typing import ClassVar

from schemas.envelope import EventData
from schemas.fields import Identifier, Short, StaffName
from schemas.people import AmendedClient, AmendedPerson


class ClientAdded(EventData):
    """A client was added to the portal, or amended (same `client_id`: absent is unchanged, null is cleared).

    A new client needs a name. With an `xpm_client_id` it is *linked* and can be imported; giving it another one
    withdraws its pending items and ends its links.
    """

    TYPE: ClassVar[str] = "muster.client.added.v1"

    client_id: Identifier
    xpm_client_id: Identifier | None = None
    """Belongs to one client of the tenant only."""
    added_by: StaffName | None = None
    personal: AmendedClient


class MemberRecorded(EventData):
    """A member was recorded by hand, or amended (same `member_id`: absent is unchanged, null is cleared).

    A new member needs a name; a co-owner needs an e-mail that no other co-owner or account of the tenant has.
    """

    TYPE: ClassVar[str] = "muster.member.recorded.v1"

    member_id: Identifier
    client_id: Identifier
    co_owner: bool | None = None
    """Absent or null: as before; a new member is none."""
    relationship: Short | None = None
    """What the member is to the client, in a word: Director, Spouse."""
    recorded_by: StaffName | None = None
    personal: AmendedPerson


class MemberRemoved(EventData):
    """A member was removed: its co-owner e-mail is free again and its link, if any, ends."""

    TYPE: ClassVar[str] = "muster.member.removed.v1"

    member_id: Identifier
    client_id: Identifier
    removed_by: StaffName | None = None
