"""The resolver on a real Postgres, as the consumer loop drives it, by the loop's own transactions."""

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from schemas.codec import decode
from schemas.topics import JOURNAL, OUTCOMES
from services.resolver.projection import ResolverProjection
from services.resolver.replaying.folding import Unkept
from tests.support.journals.cutting import Delivery
from tests.support.journals.entries import PARTITION_OF, Entry
from tests.support.model.fold import Tables
from tests.support.model.records import Row
from tests.support.resolving.core import Told
from worker.applying import Applying
from worker.batch import Batch, fence
from worker.database import Database
from worker.positions import Log, Positions
from worker.records import Outgoing, Span

SCHEMA = "resolver_g1"
KEYS = {
    "clients": "tenant_id, client_id",
    "members": "tenant_id, member_id",
    "links": "tenant_id, client_id, xpm_party_id",
    "items": "tenant_id, item_id",
    "imports": "tenant_id, import_id",
    "co_owner_emails": "tenant_id, email",
}
PARTITIONS = sorted(set(PARTITION_OF.values()))


class Loop:
    """One resolver process and its database; `published` is what it gave to be published, by partition."""

    def __init__(self, database: Database, entries: Sequence[Entry], schema: str = SCHEMA) -> None:
        self.database = database
        self._schema = schema
        self._entries = entries
        self._projection = ResolverProjection()
        self._positions = Positions("resolver", "a cluster", 1)
        self._applying = Applying(self._projection, self._positions, Unkept())
        self.published: dict[int, list[Outgoing]] = {partition: [] for partition in PARTITIONS}

    async def start(self) -> None:
        """Begin as a fresh process does."""
        await self._projection.prepare(self.database)
        logs = {(JOURNAL.name, partition): Log(JOURNAL, 0, 2**31) for partition in PARTITIONS}
        async with self.database.transaction():
            await self._positions.take_up(self.database, logs)

    async def deliver(self, delivery: Delivery) -> None:
        """Give some records; those that were applied before are dropped by the position."""
        batch = self._batch(delivery)
        if delivery.lost:
            await self._die_over(batch)
            return
        for done in await self._applying.apply(self.database, batch, batch.ends):
            for outgoing in done.outgoing:
                self.published[PARTITION_OF[outgoing.tenant_id]].append(outgoing)

    async def _die_over(self, batch: Batch) -> None:
        transaction = self.database.transaction()
        await transaction.start()
        fresh = fence(batch, await self._positions.lock(self.database, batch.places))
        effects = await self._projection.apply(self.database, fresh.records)
        await self._positions.advance(self.database, fresh.ends, fresh.ends, effects.rest)
        await transaction.rollback()

    async def unpublished(self, partition: int, since: int, until: int) -> Sequence[Outgoing]:
        return await self._projection.unpublished(self.database, Span(JOURNAL, partition, since, until))

    def _batch(self, delivery: Delivery) -> Batch:
        chosen = self._entries[delivery.since : delivery.until]
        spans = [
            Span(
                JOURNAL, partition, self._end(partition, delivery.since), self._end(partition, delivery.until)
            )
            for partition in sorted({entry.partition for entry in chosen})
        ]
        return Batch([entry.incoming() for entry in chosen], spans)

    def _end(self, partition: int, place: int) -> int:
        """The offset after the partition's last record before this place in the journal."""
        offsets = [entry.offset for entry in self._entries[:place] if entry.partition == partition]
        return offsets[-1] + 1 if offsets else 0

    async def tables(self) -> Tables:
        """The rows as stored, in the model's shape."""
        return {name: [_plain(row) for row in await self._fetch(name, key)] for name, key in KEYS.items()}

    async def decisions(self) -> list[Row]:
        """Every row of `decisions`, in the order of the log."""
        found = await self._fetch("decisions", 'partition, "offset", ordinal, tenant_id')
        return [dict(row) for row in found]

    async def told(self) -> dict[tuple[int, int], Told]:
        """What was told of each record, by partition and offset, as it is stored."""
        told: dict[tuple[int, int], Told] = {}
        for row in await self.decisions():
            place = row["partition"], row["offset"]
            if row["ordinal"] == 0:
                told[place] = Told(row["result"], row["reason"], row["claims_id"], row["first_offset"], ())
            if row["outcome"] is not None:
                part = decode(row["outcome"].encode(), OUTCOMES)
                told[place] = replace(told[place], parts=(*told[place].parts, part))
        return told

    async def before(self) -> dict[tuple[int, int], Row | None]:
        """What is kept of the state before each record, by partition and offset."""
        return {
            (row["partition"], row["offset"]): json.loads(row["before"]) if row["before"] else None
            for row in await self.decisions()
            if row["ordinal"] == 0
        }

    async def _fetch(self, table: str, key: str) -> Sequence[Any]:
        collated = ", ".join(
            f'{column} COLLATE "C"' if column.endswith(("_id", "email")) else column
            for column in key.split(", ")
        )
        return await self.database.fetch(f"SELECT * FROM {self._schema}.{table} ORDER BY {collated}")


def _plain(row: Iterable[tuple[str, Any]]) -> Row:
    return {name: _plain_value(name, value) for name, value in dict(row).items()}


JSON = ("details", "provenance", "personal", "relationship", "ignored", "item_ids", "counts")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _plain_value(name: str, value: Any) -> Any:
    if value is not None and name in JSON:
        return json.loads(value)
    if isinstance(value, datetime):
        milliseconds, finer = divmod(value - EPOCH, timedelta(milliseconds=1))
        assert not finer
        return milliseconds
    return value


@asynccontextmanager
async def resolving(dsn: str, entries: Sequence[Entry]) -> AsyncIterator[Loop]:
    """A process that has yet to begin with the journal, over tables that are empty."""
    database = await asyncpg.connect(dsn, server_settings={"synchronous_commit": "off"})
    try:
        for table in (*KEYS, "decisions", "positions"):
            await database.execute(f"DELETE FROM {SCHEMA}.{table}")
        loop = Loop(database, entries)
        await loop.start()
        yield loop
    finally:
        await database.close()
