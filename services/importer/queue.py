"""The importer's requests: taken in with the position, leased one at a time per client, ended once.

A request stands *behind* an older one of its client until that has ended. Then it is *queued* until its set of events
is stored, *stored* until all of the set is acknowledged, and *ended*; it is kept for ever, since its id is claimed for
ever. Leases and times go by the database's clock, which all importer processes share.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from asyncpg import Pool, Record

from services.importer.domain import Request
from worker import queries
from worker.projection import Database

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

QUERIES = queries.load("services.importer", "queue.sql")

AT_ONCE = 10
"""Requests that one claim takes: so processes that are woken together share what there is."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_AT_ONCE = timedelta()

Key = tuple[str, str]
"""A tenant's id, and the id of an import or a client of it."""


class LeaseLost(Exception):
    """The lease ran out, and another process may be working on the request: drop it."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How long a lease lasts, how many requests of a tenant may be in hand at once, and when a request is overdue."""

    lease: timedelta
    per_tenant: int
    deadline: timedelta


@dataclass(frozen=True, slots=True)
class Claimed:
    """A request in hand, with what is known of its course so far.

    `claimed_at` is by the database's clock, `taken_at` the same moment by this machine's monotonic one.
    """

    request: Request
    lease: UUID
    status: str
    waits: int
    trouble_since: datetime | None
    announcement: bytes | None
    last_event: bytes | None
    asked_again: int
    claimed_at: datetime
    taken_at: float = field(default_factory=time.monotonic)

    @property
    def key(self) -> Key:
        return self.request.tenant_id, self.request.import_id

    @property
    def client(self) -> Key:
        return self.request.tenant_id, self.request.client_id

    def now(self) -> datetime:
        """The database's time."""
        return self.claimed_at + timedelta(seconds=time.monotonic() - self.taken_at)


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at the queue brought. `pause`: seconds until the next one can bring more without being woken."""

    claimed: Sequence[Claimed]
    pause: float | None = None


async def take_in(database: Database, requests: Sequence[tuple[Request, bytes]]) -> dict[Key, bytes]:
    """Store requests with the digests of their content, in order. Returns the digest that each of their ids stands for.

    A repeat of an import whose last event may be out already has it published again.
    """
    first: dict[Key, tuple[Request, bytes]] = {}
    for request, content in requests:
        first.setdefault((request.tenant_id, request.import_id), (request, content))
    values = zip(*(_values(*each) for each in first.values()), strict=True)
    added = await database.fetch(QUERIES.add_requests, *map(list, values))
    clients = _columns(sorted({(row["tenant_id"], row["client_id"]) for row in added}))
    await database.execute(QUERIES.lock_first, *clients)
    await database.execute(QUERIES.let_next_come, *clients)
    found = await database.fetch(QUERIES.known_requests, *_columns(sorted(first)))
    known = {(row["tenant_id"], row["import_id"]): row["content"] for row in found}
    new = {(row["tenant_id"], row["import_id"]) for row in added}
    repeated = {
        (request.tenant_id, request.import_id)
        for request, content in requests
        if known[request.tenant_id, request.import_id] == content
    }
    await database.execute(QUERIES.ask_again, *_columns(sorted(repeated - new)))
    await database.execute(QUERIES.wake)
    return known


class Queue:
    """The requests as those see them who work them off."""

    def __init__(self, pool: "Pool[Record]", rules: Rules) -> None:
        self._pool = pool
        self.rules = rules

    async def claim(self, room: int) -> Look:
        """Take requests in hand, at most as many as there is room for."""
        lease, rules = uuid4(), self.rules
        async with self._pool.acquire() as database, database.transaction():
            await database.execute(QUERIES.take_turns)
            rows = await database.fetch(
                QUERIES.claim, lease, rules.lease, rules.per_tenant, rules.deadline, min(room, AT_ONCE)
            )
            if rows:
                return Look([_claimed(row) for row in rows])
            return Look([], await database.fetchval(QUERIES.next_due))

    async def extend(self, claimed: Claimed) -> None:
        """Keep a request in hand. Raises `LeaseLost`."""
        await self._owned(self._pool, QUERIES.extend, claimed, self.rules.lease)

    async def store(self, claimed: Claimed, events: Sequence[bytes]) -> None:
        """Store the import's set of events, once. Raises `LeaseLost`."""
        async with self._pool.acquire() as database, database.transaction():
            await self._owned(database, QUERIES.store_set, claimed, events[-1])
            await database.execute(QUERIES.add_events, *claimed.key, list(events))

    async def events(self, claimed: Claimed) -> list[bytes]:
        """The stored set, in order."""
        return [row["event"] for row in await self._pool.fetch(QUERIES.events, *claimed.key)]

    async def end(self, claimed: Claimed) -> None:
        """Everything of the import is acknowledged. Raises `LeaseLost`."""
        async with self._pool.acquire() as database, database.transaction():
            await self._owned(database, QUERIES.end, claimed, claimed.asked_again)
            await database.execute(QUERIES.let_next_come, *_columns([claimed.client]))
            await database.execute(QUERIES.forget_events, *claimed.key)

    async def park(
        self, claimed: Claimed, until: datetime, trouble_since: datetime | None, announcement: bytes
    ) -> None:
        """Let the request wait as soon as the announcement of it is out. Raises `LeaseLost`."""
        await self._owned(self._pool, QUERIES.park, claimed, until, trouble_since, announcement)

    async def announced(self, claimed: Claimed) -> None:
        """The announcement is out. Raises `LeaseLost`."""
        await self._owned(self._pool, QUERIES.announced, claimed)

    async def pause(self, tenant_id: str, until: datetime) -> None:
        """Start no read for the tenant until then; what does not need XPM goes on."""
        await self._pool.execute(QUERIES.pause, tenant_id, until)

    async def give_back(self, claimed: Claimed, pause: timedelta = _AT_ONCE) -> None:
        """Let go of the request; it can be taken in hand again after the pause."""
        await self._pool.execute(QUERIES.give_back, *claimed.key, claimed.lease, pause)

    async def _owned(
        self,
        database: "Pool[Record] | PoolConnectionProxy[Record]",
        query: str,
        claimed: Claimed,
        *more: object,
    ) -> None:
        done = await database.execute(query, *claimed.key, claimed.lease, *more)
        if done.endswith(" 0"):
            raise LeaseLost


def _values(request: Request, content: bytes) -> tuple[object, ...]:
    return (
        request.tenant_id,
        request.import_id,
        request.client_id,
        request.xpm_client_id,
        request.requested_by,
        request.bulk_id,
        _EPOCH + request.requested_at * _MILLISECOND,
        content,
    )


def _columns(keys: Sequence[Key]) -> tuple[list[str], list[str]]:
    return [tenant_id for tenant_id, _ in keys], [each for _, each in keys]


def _claimed(row: Record) -> Claimed:
    return Claimed(
        request=Request(
            tenant_id=row["tenant_id"],
            import_id=row["import_id"],
            client_id=row["client_id"],
            xpm_client_id=row["xpm_client_id"],
            requested_by=row["requested_by"],
            bulk_id=row["bulk_id"],
            requested_at=(row["requested_at"] - _EPOCH) // _MILLISECOND,
        ),
        lease=row["leased_by"],
        status=row["status"],
        waits=row["waits"],
        trouble_since=row["trouble_since"],
        announcement=row["announcement"],
        last_event=row["last_event"],
        asked_again=row["asked_again"],
        claimed_at=row["claimed_at"],
    )
