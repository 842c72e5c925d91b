"""What staff decide about an item. Portal backends publish these commands; they may be refused."""

from typing import ClassVar

from schemas.envelope import Block, EventData
from schemas.fields import Digest, Identifier, Short, StaffName
from schemas.people import AmendedPerson


class SeenItem(Block):
    """The digest of the item's details that the person was shown."""

    item: Digest
    """The item's `digest`, as an outcome or the read side gave it."""


class SeenItemAndMember(SeenItem):
    """The digests of the item's and the member's details that the person was shown."""

    member: Digest
    """The member's `digest`, as an outcome or the read side gave it."""


class ItemImported(EventData):
    """Import the item as a new member, with the details as XPM has them or as amended here.

    A field that is absent confirms what XPM has; one that differs is kept at later imports. `co_owner` requires an
    e-mail that no other co-owner or account of the tenant has.
    """

    TYPE: ClassVar[str] = "muster.item.imported.v1"

    item_id: Identifier
    decided_by: StaffName
    seen: SeenItem
    co_owner: bool = False
    """Whether the new member is a co-owner of the account."""
    relationship: Short | None = None
    """What the member is to the client, where it is to differ from XPM's word."""
    personal: AmendedPerson | None = None
    """The details that were amended; one that is null is cleared."""


class ItemIgnored(EventData):
    """Take the item off the list; it appears again at the next import."""

    TYPE: ClassVar[str] = "muster.item.ignored.v1"

    item_id: Identifier
    decided_by: StaffName


class ItemLinked(EventData):
    """Link the item to a member of the same client, whose details it replaces."""

    TYPE: ClassVar[str] = "muster.item.linked.v1"

    item_id: Identifier
    member_id: Identifier
    """A member that is linked to nobody yet."""
    decided_by: StaffName
    seen: SeenItemAndMember
