"""A notifier's tables in a database of the test's own, filled without Kafka in between."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg
import orjson

from schemas.topics import OUTCOMES, REQUESTS
from services.notifier.projection import NotifierProjection
from services.notifier.reads import EVERYTHING, Filters, Reads
from tests.support.watching.story import Input
from worker.projection import Database, Effects, NeedsLocks
from worker.records import Incoming, Outgoing, Span
from worker.statements import NotSo, execute_if, execute_together

DAY = 24 * 60 * 60 * 1000


@dataclass
class Tables:
    """Applies inputs as the loop does, each topic at offsets that count up."""

    database: Database
    projection: NotifierProjection = field(default_factory=NotifierProjection)
    offsets: dict[str, int] = field(default_factory=dict)
    at_once: bool = False
    """Without a transaction where the loop would do without."""

    async def apply(self, *inputs: Input) -> list[dict[str, Any]]:
        """One batch, at the next offsets; the data of what is to be published."""
        batch = []
        for each in inputs:
            offset = self.offsets.get(each.topic.name, 0)
            self.offsets[each.topic.name] = offset + 1
            batch.append((offset, each))
        return [orjson.loads(each.value)["data"] for each in await self.apply_at(batch)]

    async def apply_at(self, batch: Sequence[tuple[int, Input]]) -> Sequence[Outgoing]:
        """One batch, at these offsets."""
        incoming = [each.incoming(offset) for offset, each in batch]
        if self.at_once and len(incoming) <= self.projection.at_once:
            with suppress(NeedsLocks, NotSo):
                return await self.store(await self.projection.apply(self.database, incoming))
        async with self.database.transaction():
            return await self.fold(incoming)

    async def store(self, effects: Effects) -> Sequence[Outgoing]:
        """What the loop does without a transaction, but for the positions. Raises `NotSo`."""
        if effects.conditions:
            await execute_if(self.database, effects.conditions, effects.rest)
        return effects.outgoing

    async def fold(self, batch: Sequence[Incoming]) -> Sequence[Outgoing]:
        """What the loop does in its transaction, but for the positions."""
        effects = await self.projection.apply(self.database, batch)
        conditions = [each.statement for each in effects.conditions]
        await execute_together(self.database, [*effects.rest, *conditions])
        return effects.outgoing

    async def unpublished(self, since: int = 0, until: int = 1_000_000) -> list[Outgoing]:
        async with self.database.transaction():
            return [
                each
                for topic in (REQUESTS, OUTCOMES)
                for each in await self.projection.unpublished(self.database, Span(topic, 0, since, until))
            ]

    async def shown(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Everything that is stored, visible or not."""
        rows = await self.database.fetch("SELECT kind, row_id, shown FROM progress")
        return {(row["kind"], row["row_id"]): orjson.loads(row["shown"]) for row in rows}


@asynccontextmanager
async def notifier_tables(dsn: str) -> AsyncIterator[Tables]:
    """The projection on a connection of its own."""
    database = await asyncpg.connect(dsn)
    try:
        tables = Tables(database)
        await tables.projection.prepare(database)
        yield tables
    finally:
        await database.close()


@asynccontextmanager
async def reading(dsn: str) -> AsyncIterator[Reads]:
    """The readers' way to the tables."""
    session = {"role": "muster_reader", "search_path": "notifier"}
    async with asyncpg.create_pool(dsn, min_size=1, max_size=4, server_settings=session) as pool:
        yield Reads(pool)


async def listed(reads: Reads, tenant: str = "practice", filters: Filters = EVERYTHING) -> list[str]:
    """The ids of the rows that a reader sees, newest first."""
    return [orjson.loads(row)["row_id"] for row in (await reads.page(tenant, filters)).rows]


def now() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)
