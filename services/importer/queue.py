"""The importer's requests: taken in with the position, leased one at a time per client, ended once.

A request stands *behind* an older one of its client until that has ended. Then it is *queued* until its set of events
is stored, *stored* until all of the set is acknowledged, and *ended*; it is kept for ever, since its id is claimed for
ever. Leases and times go by the database's clock, which all importer processes share.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid4

from asyncpg import Pool, Record

from services.importer.domain import Request
from services.importer.together import Together
from worker import queries
from worker.projection import Database

QUERIES = queries.load("services.importer", "queue.sql")

AT_ONCE = 10
"""Tenants that one claim serves: so processes that are woken together share what there is."""
SHARE = 100
"""Requests that one claim takes; there are more of them than tenants only where a list has brought what they need."""
LISTED = 200
"""Of those, so many of a tenant may be in hand at once, over all processes: they call nobody."""
EVENTS_AT_ONCE = 5_000
"""Events that are stored in one transaction."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_AT_ONCE = timedelta()

_NONE: Mapping[str, int] = {}

Value = TypeVar("Value")
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


_Set = tuple[Claimed, Sequence[bytes]]


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
    asked_for = sorted({(request.tenant_id, request.client_id) for request, _ in first.values()})
    await database.execute(QUERIES.lock_first, *_columns(asked_for))
    clients = sorted({(row["tenant_id"], row["client_id"]) for row in added})
    await database.execute(QUERIES.let_next_come, *_columns(clients))
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
    """The requests as those see them who work them off; what they do at the same time is done in one go."""

    def __init__(self, pool: "Pool[Record]", rules: Rules) -> None:
        self._pool = pool
        self.rules = rules
        self._extending = Together(self._extend, SHARE)
        self._storing = Together(self._store, EVENTS_AT_ONCE, lambda asked: len(asked[1]))
        self._ending = Together(self._end, SHARE)
        self._giving_back = Together(self._give_back, SHARE)

    async def claim(self, room: int, ahead: Mapping[str, int] = _NONE) -> Look:
        """Take requests in hand, at most as many as there is room for.

        Of the tenants in `ahead` there may be so many in hand, of others no more than may call at once.
        """
        lease, rules, most = uuid4(), self.rules, min(room, SHARE)
        async with self._pool.acquire() as database, database.transaction():
            await database.execute(QUERIES.take_turns)
            rows = await database.fetch(
                QUERIES.claim,
                lease,
                rules.lease,
                rules.per_tenant,
                rules.deadline,
                most,
                AT_ONCE,
                LISTED,
            )
            if ahead and len(rows) < most:
                rows += await database.fetch(
                    QUERIES.claim_ahead, lease, rules.lease, *_columns([*ahead.items()]), most - len(rows)
                )
            if rows:
                return Look([_claimed(row) for row in rows])
            return Look([], await database.fetchval(QUERIES.next_due))

    async def extend(self, claimed: Claimed) -> None:
        """Keep a request in hand. Raises `LeaseLost`."""
        await self._extending(claimed)

    async def store(self, claimed: Claimed, events: Sequence[bytes]) -> None:
        """Store the import's set of events, once. Raises `LeaseLost`."""
        await self._storing((claimed, events))

    async def events(self, claimed: Claimed) -> list[bytes]:
        """The stored set, in order."""
        return [row["event"] for row in await self._pool.fetch(QUERIES.events, *claimed.key)]

    async def end(self, claimed: Claimed) -> None:
        """Everything of the import is acknowledged, and it is in nobody's hand any more. Raises `LeaseLost`."""
        await self._ending(claimed)

    async def park(
        self, claimed: Claimed, until: datetime, trouble_since: datetime | None, announcement: bytes
    ) -> None:
        """Let the request wait as soon as the announcement of it is out. Raises `LeaseLost`."""
        await self._owned(QUERIES.park, claimed, until, trouble_since, announcement)

    async def announced(self, claimed: Claimed) -> None:
        """The announcement is out. Raises `LeaseLost`."""
        await self._owned(QUERIES.announced, claimed)

    async def pause(self, tenant_id: str, until: datetime) -> None:
        """Start no read for the tenant until then; what does not need XPM goes on."""
        await self._pool.execute(QUERIES.pause, tenant_id, until)

    async def give_back(self, claimed: Claimed, pause: timedelta = _AT_ONCE) -> None:
        """Let go of the request; it can be taken in hand again after the pause."""
        await self._giving_back((claimed, pause))

    async def _owned(self, query: str, claimed: Claimed, *more: object) -> None:
        done = await self._pool.execute(query, *claimed.key, claimed.lease, *more)
        if done.endswith(" 0"):
            raise LeaseLost

    async def _extend(self, some: Sequence[Claimed]) -> list[LeaseLost | None]:
        kept = await self._pool.fetch(QUERIES.extend, *_hands(some), self.rules.lease)
        return _lost(some, kept)

    async def _store(self, some: Sequence[_Set]) -> list[LeaseLost | None]:
        firsts: dict[Key, _Set] = {}
        for each in some:
            firsts.setdefault(each[0].key, each)
        sets = list(firsts.values())
        last_events = [events[-1] for _, events in sets]
        stored = await self._pool.fetch(
            QUERIES.store_sets, *_hands([claimed for claimed, _ in sets]), last_events, *_rows(sets)
        )
        won = {(row["tenant_id"], row["import_id"]) for row in stored}
        return [None if each is firsts[each[0].key] and each[0].key in won else LeaseLost() for each in some]

    async def _end(self, some: Sequence[Claimed]) -> list[LeaseLost | None]:
        async with self._pool.acquire() as database, database.transaction():
            ended = await database.fetch(QUERIES.end, *_hands(some), [each.asked_again for each in some])
            clients = sorted((row["tenant_id"], row["client_id"]) for row in ended)
            await database.execute(QUERIES.let_next_come, *_columns(clients))
        return _lost(some, ended)

    async def _give_back(self, some: Sequence[tuple[Claimed, timedelta]]) -> list[None]:
        await self._pool.execute(
            QUERIES.give_back, *_hands([claimed for claimed, _ in some]), [pause for _, pause in some]
        )
        return [None] * len(some)


def _rows(sets: Sequence[_Set]) -> tuple[list[int], list[int], list[bytes]]:
    """The columns of the events of these sets: the place of its set, counted from 1, that in its set, and the event."""
    places = [place for place, (_, events) in enumerate(sets, start=1) for _ in events]
    ordinals = [ordinal for _, events in sets for ordinal in range(len(events))]
    return places, ordinals, [event for _, events in sets for event in events]


def _hands(some: Sequence[Claimed]) -> tuple[list[str], list[str], list[UUID]]:
    return *_columns([each.key for each in some]), [each.lease for each in some]


def _lost(some: Sequence[Claimed], kept: Sequence[Record]) -> list[LeaseLost | None]:
    """Of each whether it was still in this hand."""
    keys = {(row["tenant_id"], row["import_id"]) for row in kept}
    return [None if each.key in keys else LeaseLost() for each in some]


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


def _columns(pairs: Sequence[tuple[str, Value]]) -> tuple[list[str], list[Value]]:
    return [tenant_id for tenant_id, _ in pairs], [each for _, each in pairs]


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
