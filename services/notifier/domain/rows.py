"""One row of integration progress, as the fold keeps it.

queued < fetching < ready_for_review < in_review < completed | failed | superseded
"""

from dataclasses import dataclass, fields
from operator import attrgetter
from typing import NamedTuple

from schemas.outcomes import Counts, Version, Waiting
from schemas.progress import VISIBLE_HOURS, BulkCounts, ConnectionState, Kind, Status

VISIBLE_MS = VISIBLE_HOURS * 60 * 60 * 1000

RANKS: dict[Status, int] = {
    "queued": 0,
    "fetching": 1,
    "ready_for_review": 2,
    "in_review": 3,
    "completed": 4,
    "failed": 4,
    "superseded": 4,
}
ENDED = 4
REVIEWABLE: frozenset[Status] = frozenset({"ready_for_review", "in_review"})

NOTHING = Counts()


class Key(NamedTuple):
    """Which row; in this order rows are locked and stored."""

    tenant_id: str
    kind: Kind
    row_id: str


class Stamp(NamedTuple):
    """The version of an outcome: compared by journal offset, then by number of the swap."""

    offset: int
    swap: int

    @classmethod
    def of(cls, version: Version) -> "Stamp":
        return cls(version.offset, version.swap)


@dataclass(frozen=True, slots=True)
class Row:
    """Instants are milliseconds since 1970 (UTC) by the broker's clock.

    Not shown to anybody: `outcome`, the outcome that the row tells (None: none yet); `request_seen`; and of an import
    `bulk_from`, the `requested_at` of the bulk's row that counts it (None: none does). `reviewable` is how many actions
    of the row have something to review.
    """

    key: Key
    requested_at: int
    moved_at: int
    status: Status
    version: int = 0
    outcome: Stamp | None = None
    request_seen: bool = False
    bulk_from: int | None = None
    reviewable: int = 0
    requested_by: str | None = None
    client_id: str | None = None
    bulk_id: str | None = None
    connection: ConnectionState | None = None
    waiting: Waiting | None = None
    reason: str | None = None
    message: str | None = None
    counts: Counts = NOTHING
    bulk: BulkCounts | None = None
    client_name: str | None = None
    practice_name: str | None = None

    def looks_like(self, other: "Row | None") -> bool:
        """Whether nobody could tell the two apart."""
        return other is not None and _looks(self) == _looks(other)


_UNSEEN = {"version", "outcome", "request_seen", "bulk_from"}
_looks = attrgetter(*(field.name for field in fields(Row) if field.name not in _UNSEEN))


def is_visible(requested_at: int, now: int) -> bool:
    """Whether readers still see the row: until 72 hours after the request, and not at that instant itself."""
    return now < requested_at + VISIBLE_MS


def may_tell(row: Row | None, outcome: Stamp, status: Status) -> bool:
    """Whether an outcome may change the row: it is newer, and it takes nothing back unless a swap published it."""
    if row is None or row.outcome is None:
        return True
    if outcome <= row.outcome:
        return False
    return outcome.swap > row.outcome.swap or (
        RANKS[row.status] < ENDED and RANKS[status] >= RANKS[row.status]
    )
