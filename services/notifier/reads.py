"""The list of integration progress as readers see it: through their role, the rows of one tenant, and the 72 hours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from schemas.progress import Kind, Status
from worker import queries
from worker.tenancy import showing

if TYPE_CHECKING:
    from asyncpg import Pool, Record

QUERIES = queries.load("services.notifier", "queries.sql")


class Place(NamedTuple):
    """Where a row stands in the list."""

    requested_at: datetime
    kind: str
    row_id: str


@dataclass(frozen=True, slots=True)
class Filters:
    """Which rows are wanted; what is None lets everything pass. `since` is included, `until` is not."""

    client_id: str | None = None
    statuses: Sequence[Status] | None = None
    kinds: Sequence[Kind] | None = None
    since: datetime | None = None
    until: datetime | None = None


EVERYTHING = Filters()


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as JSON, newest first; `last` is the place of the last one if more follow."""

    rows: Sequence[str]
    last: Place | None


class Reads:
    """Reads through a pool whose connections have the readers' role, so that no query can see another tenant."""

    def __init__(self, pool: "Pool[Record]") -> None:
        self._pool = pool

    async def page(
        self, tenant_id: str, filters: Filters = EVERYTHING, after: Place | None = None, limit: int = 500
    ) -> Page:
        """One page of the list. Raises `Problem` when the database does not answer."""
        async with showing(self._pool, tenant_id) as database:
            found = await database.fetch(
                QUERIES.page,
                tenant_id,
                filters.client_id,
                filters.statuses,
                filters.kinds,
                filters.since,
                filters.until,
                *(after or (None, None, None)),
                limit + 1,
            )
        rows = found[:limit]
        last = (
            Place(rows[-1]["requested_at"], rows[-1]["kind"], rows[-1]["row_id"])
            if len(found) > limit
            else None
        )
        return Page([row["shown"] for row in rows], last)

    async def row(self, tenant_id: str, kind: str, row_id: str) -> str | None:
        """One row as JSON, if there is one to see. Raises `Problem` like `page`."""
        async with showing(self._pool, tenant_id) as database:
            shown: str | None = await database.fetchval(QUERIES.one_row, tenant_id, kind, row_id)
        return shown
