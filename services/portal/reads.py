"""The resolver's views as one tenant sees them: through the readers' role, in a transaction that names the tenant."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from schemas.codec import Unreadable, decode
from schemas.outcomes import OutcomeRecorded, Replaced
from schemas.topics import OUTCOMES
from services.portal import records
from services.portal.problems import not_there
from services.portal.records import Client, Holder, Item, Member
from worker import queries
from worker.tenancy import showing

if TYPE_CHECKING:
    from asyncpg import Pool, Record

QUERIES = queries.load("services.portal", "queries.sql")
CHANGES_SHOWN = 30

T = TypeVar("T")


class Place(NamedTuple):
    """Where something stands in a list by name."""

    sort_name: str
    id: str


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list; `last` is the place of its last entry if more follow."""

    entries: Sequence[T]
    last: Place | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """One record that replaced details of a client or its people."""

    at: datetime
    by: str | None
    replaced: Sequence[Replaced]


class Reads:
    """Reads through a pool whose connections have the readers' role, so that no query can see another tenant."""

    def __init__(self, pool: "Pool[Record]") -> None:
        self._pool = pool

    async def clients(
        self, tenant_id: str, search: str | None = None, after: Place | None = None, limit: int = 50
    ) -> Page[Client]:
        """One page of the practice's clients by name. Raises `Problem` when the database does not answer."""
        async with showing(self._pool, tenant_id) as database:
            rows = await database.fetch(
                QUERIES.clients, tenant_id, search or None, *(after or (None, None)), limit + 1
            )
        found = [records.client(row) for row in rows]
        return _page(found, limit, lambda last: Place(last.sort_name, last.client_id))

    async def some_clients(self, tenant_id: str, client_ids: Sequence[str]) -> list[Client]:
        """Those of the clients that there are, by name."""
        async with showing(self._pool, tenant_id) as database:
            rows = await database.fetch(QUERIES.some_clients, tenant_id, list(client_ids))
        return [records.client(row) for row in rows]

    async def client(self, tenant_id: str, client_id: str) -> Client:
        """One client. Raises `Problem`: not there."""
        found = await self.some_clients(tenant_id, [client_id])
        if not found:
            raise not_there("client")
        return found[0]

    async def clients_of_xpm(self, tenant_id: str, xpm_client_ids: Sequence[str]) -> dict[str, str]:
        """Which of these XPM clients are in the portal: its id there."""
        async with showing(self._pool, tenant_id) as database:
            rows = await database.fetch(QUERIES.clients_of_xpm, tenant_id, list(xpm_client_ids))
        return {row["xpm_client_id"]: row["client_id"] for row in rows}

    async def members(self, tenant_id: str, client_id: str) -> list[Member]:
        """The people of a client, by name."""
        async with showing(self._pool, tenant_id) as database:
            rows = await database.fetch(QUERIES.members, tenant_id, client_id, None)
        return [records.member(row) for row in rows]

    async def member(self, tenant_id: str, member_id: str) -> Member:
        """One of them. Raises `Problem`: not there, as are those that were removed."""
        async with showing(self._pool, tenant_id) as database:
            row = await database.fetchrow(QUERIES.members, tenant_id, None, member_id)
        if row is None:
            raise not_there("person")
        return records.member(row)

    async def open_items(
        self, tenant_id: str, client_id: str, after: Place | None = None, limit: int = 500
    ) -> Page[Item]:
        """One page of what waits for a decision, by name."""
        async with showing(self._pool, tenant_id) as database:
            rows = await database.fetch(
                QUERIES.open_items, tenant_id, client_id, *(after or (None, None)), limit + 1
            )
        found = [records.item(row) for row in rows]
        return _page(found, limit, lambda last: Place(last.sort_name, last.item_id))

    async def item_states(self, tenant_id: str, client_id: str) -> dict[str, int]:
        """How many items of the client are in which state; none at all before the first import."""
        async with showing(self._pool, tenant_id) as database:
            rows = await database.fetch(QUERIES.item_states, tenant_id, client_id)
        return {row["state"]: row["number"] for row in rows}

    async def item(self, tenant_id: str, item_id: str) -> Item:
        """One item, whatever became of it. Raises `Problem`: not there."""
        found = await self.items(tenant_id, [item_id])
        if not found:
            raise not_there("item")
        return found[0]

    async def items(self, tenant_id: str, item_ids: Sequence[str]) -> list[Item]:
        """Those of the items that there are."""
        async with showing(self._pool, tenant_id) as database:
            rows = await database.fetch(QUERIES.some_items, tenant_id, list(item_ids))
        return [records.item(row) for row in rows]

    async def email_holder(self, tenant_id: str, email: str) -> Holder | None:
        """Who of the practice signs in with this e-mail, if anybody."""
        async with showing(self._pool, tenant_id) as database:
            row = await database.fetchrow(QUERIES.email_holder, tenant_id, email)
        return Holder(**row) if row else None

    async def outcomes(self, tenant_id: str, command_ids: Sequence[str]) -> dict[str, OutcomeRecorded]:
        """What those of the commands came to that were processed."""
        async with showing(self._pool, tenant_id) as database:
            rows = await database.fetch(QUERIES.outcomes, tenant_id, list(command_ids))
        found = {row["event_id"]: _outcome(row["outcome"]) for row in rows}
        return {command_id: outcome for command_id, outcome in found.items() if outcome is not None}

    async def claims(self, tenant_id: str, command_ids: Sequence[str]) -> dict[str, bytes]:
        """Of the ids that were used, the digest of what was said under each."""
        async with showing(self._pool, tenant_id) as database:
            rows = await database.fetch(QUERIES.claims, tenant_id, list(command_ids))
        return {row["event_id"]: row["content"] for row in rows}

    async def changes(self, tenant_id: str, client_id: str) -> list[Changed]:
        """The latest replacements of a client's details and its people's, newest first."""
        async with showing(self._pool, tenant_id) as database:
            rows = await database.fetch(QUERIES.changes, tenant_id, client_id, CHANGES_SHOWN)
        found = []
        for row in rows:
            outcome = _outcome(row["outcome"])
            if outcome is not None and outcome.personal is not None and outcome.personal.replaced:
                found.append(Changed(row["at"], row["decided_by"], outcome.personal.replaced))
        return found


def _page(found: Sequence[T], limit: int, place: Callable[[T], Place]) -> Page[T]:
    return Page(found[:limit], place(found[limit - 1]) if len(found) > limit else None)


def _outcome(told: str | None) -> OutcomeRecorded | None:
    if told is None:
        return None
    try:
        data = decode(told.encode(), OUTCOMES).data
    except Unreadable:  # of a later release than this process
        return None
    return data if isinstance(data, OutcomeRecorded) else None
