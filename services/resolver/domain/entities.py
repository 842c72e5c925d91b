"""What the resolver knows of a tenant, as immutable records. Times are milliseconds since 1970 (UTC).

Structs of msgspec, because every record of the journal makes, reads and replaces some of them, which takes a tenth of
the time that it takes with named tuples, and those took a quarter of what frozen dataclasses do. `gc=False`: there are
no cycles in them to look for.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal, NotRequired, TypedDict

from msgspec import Struct, field

from schemas.outcomes import ImportStatus, ItemState
from schemas.seen import item_digest, member_digest

Details = Mapping[str, str]
NOTHING: Mapping[str, Any] = {}
OPEN: frozenset[ImportStatus] = frozenset({"fetching", "ready_for_review", "in_review"})

NO_COUNTS: Mapping[str, int] = {
    "staged": 0,
    "pending": 0,
    "imported": 0,
    "linked": 0,
    "ignored": 0,
    "attached": 0,
    "withdrawn": 0,
    "left_out": 0,
    "rejected": 0,
    "replaced_fields": 0,
}


class Origin(TypedDict):
    """Where a field's value came from, and what XPM has for it where that is known."""

    by: Literal["portal", "xpm", "staff"]
    xpm: NotRequired[str]


Provenance = Mapping[str, Origin]


class Client(Struct, frozen=True, gc=False):
    """A client of the practice. `staged_from` is the latest start of an import that reached `ImportStaged`."""

    client_id: str
    xpm_client_id: str | None = None
    account_email: str | None = None
    details: Details = NOTHING
    provenance: Provenance = NOTHING
    details_from: int | None = None
    staged_from: int | None = None


class Member(Struct, frozen=True, dict=True):
    """A person or entity recorded under a client; `relationship` is one of its details.

    Its digest is told and stored, and kept in its dictionary in between.
    """

    member_id: str
    client_id: str
    co_owner: bool = False
    removed: bool = False
    details: Details = NOTHING
    provenance: Provenance = NOTHING

    @cached_property
    def digest(self) -> str:
        return member_digest(self.details, co_owner=self.co_owner)


class Link(Struct, frozen=True, gc=False):
    """The lasting pair (client, party) <-> member, made by the decision on `item_id`."""

    client_id: str
    xpm_party_id: str
    member_id: str
    item_id: str
    details_from: int


class Item(Struct, frozen=True, gc=False):
    """One relationship brought by imports; `staged_from` is the start of the import that last staged it."""

    item_id: str
    client_id: str
    xpm_party_id: str
    import_id: str
    staged_from: int
    personal: Details
    relationship: Mapping[str, str | int]
    archived: bool
    stub: bool
    details_as_of: int | None
    digest: str
    state: ItemState = "pending"
    reason: str | None = None
    in_xpm: bool = True
    member_id: str | None = None
    attached_by: str | None = None
    decided_by: str | None = None
    decided_at: int | None = None
    ignored: Mapping[str, Mapping[str, str | int]] | None = None

    @property
    def staged_values(self) -> dict[str, str]:
        """What a member takes from the item: the party's details and the relationship's type."""
        return {**self.personal, "relationship": str(self.relationship["type"])}


def digest_of_item(
    personal: Details, relationship: Mapping[str, str | int], *, archived: bool, stub: bool
) -> str:
    return item_digest(personal, relationship, archived=archived, stub=stub)


class Import(Struct, frozen=True, gc=False):
    """One run for one client. `listed` holds the ids of its list, `unstaged` how many of them nobody staged yet."""

    import_id: str
    client_id: str
    requested_by: str
    requested_at: int
    started_from: int
    bulk_id: str | None = None
    status: ImportStatus = "fetching"
    waiting_until: int | None = None
    waiting_why: str | None = None
    reason: str | None = None
    message: str | None = None
    reviewed: bool = False
    listed: frozenset[str] | None = None
    unstaged: int = 0
    counts: Mapping[str, int] = field(default_factory=lambda: NO_COUNTS)

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    def holds(self, item: Item) -> bool:
        """Whether the item counts for this import: in its list, or before there is one, last staged by it."""
        if self.listed is None:
            return item.import_id == self.import_id
        return item.item_id in self.listed


class Holder(Struct, frozen=True, gc=False):
    """Who holds a co-owner e-mail: a member, or where `member_id` is None the client's own account."""

    client_id: str
    member_id: str | None = None


class Claim(Struct, frozen=True, gc=False):
    """The first record that was applied or rejected under an id: where it stands, and the digest of its content."""

    offset: int
    content: bytes
