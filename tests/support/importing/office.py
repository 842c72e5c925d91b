"""The queue of requests, looked at and put in order by hand."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg

from services.importer.domain import Request
from services.importer.queue import AT_ONCE, LISTED, QUERIES, Claimed, Queue, Rules, take_in
from tests.support.importing.requests import content

LONG = timedelta(minutes=1)
SHORT = timedelta(milliseconds=100)
DEADLINE = timedelta(hours=70)


@dataclass(frozen=True)
class Office:
    """Requests come in here; each queue on it is an importer process."""

    pool: "asyncpg.Pool[asyncpg.Record]"

    def queue(self, lease: timedelta = LONG, per_tenant: int = 1000) -> Queue:
        return Queue(self.pool, Rules(lease, per_tenant, DEADLINE))

    async def take_in(self, *requests: Request) -> dict[tuple[str, str], bytes]:
        """One batch."""
        async with self.pool.acquire() as database, database.transaction():
            return await take_in(database, [(each, content(each)) for each in requests])

    async def state(self, import_id: str) -> asyncpg.Record:
        return await self.pool.fetchrow("SELECT * FROM requests WHERE import_id = $1", import_id)

    async def stored(self, import_id: str) -> list[bytes]:
        rows = await self.pool.fetch(
            "SELECT event FROM staged_events WHERE import_id = $1 ORDER BY ordinal", import_id
        )
        return [row["event"] for row in rows]

    async def explain_claim(self) -> dict[str, Any]:
        """What the next claim would cost, as Postgres counts it; nothing is claimed."""
        rules = self.queue().rules
        async with self.pool.acquire() as database:
            looking = database.transaction()
            await looking.start()
            told = await database.fetchval(
                f"EXPLAIN (ANALYZE, BUFFERS, FORMAT json) {QUERIES.claim}",
                uuid4(),
                rules.lease,
                2,
                DEADLINE,
                10,
                AT_ONCE,
                LISTED,
            )
            await looking.rollback()
        plan: dict[str, Any] = json.loads(told)[0]["Plan"]
        return plan

    async def fetch(self, statement: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        return await self.pool.fetch(statement, *arguments)


async def take(queue: Queue, room: int = 1) -> list[str]:
    """The ids of the imports that are taken in hand."""
    return [claimed.request.import_id for claimed in (await queue.claim(room)).claimed]


async def take_one(queue: Queue) -> Claimed:
    """The one request that is taken in hand."""
    (claimed,) = (await queue.claim(1)).claimed
    return claimed


async def finish(queue: Queue, claimed: Claimed) -> None:
    """Work a request off."""
    await queue.store(claimed, [b"the end"])
    await queue.end(claimed)
    await queue.give_back(claimed)
