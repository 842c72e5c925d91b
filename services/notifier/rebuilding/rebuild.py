"""One rebuild of integration progress: fold beside, compare, and mend what differs in one transaction.

The live tables stay: they are a fold of topics that forget, and of rows that end to be visible while they are folded,
so what is switched is not the tables but those of their rows that came out differently.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import orjson
import structlog

from services.notifier.rebuilding import mending, outbox
from services.notifier.rebuilding.folding import REACH, Folder, folding
from services.notifier.rebuilding.mending import QUERIES
from worker.database import Database
from worker.differences import Count, Example, columns_that_differ
from worker.failures import Stop
from worker.publisher import Publisher
from worker.settings import Settings
from worker.watching import Watcher

log = structlog.get_logger(__name__)

TABLE = "progress"
ATTEMPTS = 20
PAUSE_SECONDS = 0.5
POSITIONS_WAIT = "2s"
"""For batches under way to end."""
ROUNDS = 5
RECORDS_UNDER_LOCK = 100
WORK_THERE = "SET LOCAL search_path TO notifier_beside"
ALL: Sequence[str] | None = None


class NotMended(Stop):
    """The notifier held its locks all the time. Nothing was changed in integration progress: run the command again."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild came to: how much it folded, how many rows it compared, what differs, and what was done about it.

    `seconds` is how long the notifier had to wait.
    """

    records: int
    rows: int
    counts: Sequence[Count]
    mended: int = 0
    told: int = 0
    seconds: float = 0.0


class Rebuild:
    """Beside everything that goes on; `database` is the operator's connection. Use `begun`."""

    def __init__(self, settings: Settings, database: Database, folder: Folder, watcher: Watcher) -> None:
        self._settings = settings
        self._database = database
        self._folder = folder
        self._watcher = watcher

    async def compare(self) -> Rebuilt:
        """Fold what the live tables contain, and compare, in one snapshot of the database."""
        database = self._database
        places = await self._places()
        since = int((datetime.now(UTC) - REACH).timestamp() * 1000)
        offsets = await self._folder.begin(since, places)
        with self._watcher.progress("Folding integration progress", offsets) as steps:
            async with self._there():
                await self._folder.fold(places, steps)
        await database.execute("ANALYZE notifier_beside.progress")
        async with self._there(isolation="repeatable_read"):
            await self._settle(ALL)
            counts = [Count(TABLE, *row) for row in await database.fetch(QUERIES.counts)]
            rows = await database.fetchval(QUERIES.size)
        return Rebuilt(self._folder.records, rows, counts)

    async def mend(self, found: Rebuilt) -> Rebuilt:
        """Put what was folded in the place of the rows that differ, and publish what readers see of it.

        Raises `NotMended`. Killed after it was committed, the notifier publishes the rest by itself.
        """
        if not found.counts:
            return found
        await self._come_closer()
        for _ in range(ATTEMPTS):
            try:
                mended, seconds = await self._mend()
                break
            except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
                log.info("mending_tries_again")
                await asyncio.sleep(PAUSE_SECONDS)
        else:
            raise NotMended(
                "The notifier held its locks all the time, and integration progress was left as it is. Run the command "
                "again when there is less going on."
            )
        return replace(
            found,
            mended=mended,
            seconds=seconds,
            told=await tell(self._settings, self._database, self._watcher),
        )

    async def examples(self, tenants: Sequence[str], each: int, *, personal: bool) -> list[Example]:
        """Some rows that differ, `each` of every tenant and kind of difference."""
        found = await self._database.fetch(QUERIES.examples, list(tenants), each)
        return [
            Example(
                TABLE,
                row["tenant_id"],
                [row["kind"], row["row_id"]],
                row["how"],
                [
                    column
                    for column in columns_that_differ(
                        _loaded(row["here"]), _loaded(row["there"]), personal=personal
                    )
                    if column.name not in mending.NO_DIFFERENCE
                ],
            )
            for row in found
        ]

    async def _come_closer(self) -> None:
        """Fold without holding anybody up, until there is little left to fold under the lock."""
        for _ in range(ROUNDS):
            before = self._folder.records
            async with self._there():
                await self._settle(())
            if self._folder.records - before <= RECORDS_UNDER_LOCK:
                return

    async def _mend(self) -> tuple[int, float]:
        database = self._database
        async with self._there():
            await database.execute(f"SET LOCAL lock_timeout = '{POSITIONS_WAIT}'")
            await database.execute(QUERIES.lock)
            locked = time.monotonic()
            await self._settle(())
            mended = await mending.mend(database)
        return mended, time.monotonic() - locked

    async def _settle(self, tenants: Sequence[str] | None) -> None:
        """Fold what the live tables contain by now; compare these tenants, None for all, and those touched by that."""
        touched = await self._folder.fold(await self._places(), _Silent())
        wanted = None if tenants is None else sorted({*tenants, *touched})
        await self._database.execute(QUERIES.forget, wanted)
        await self._database.execute(QUERIES.compare, wanted)

    async def _places(self) -> dict[tuple[str, int], int]:
        return {
            (row["topic"], row["partition"]): row["applied_to"]
            for row in await self._database.fetch(QUERIES.positions)
        }

    @asynccontextmanager
    async def _there(self, **kind: Any) -> AsyncIterator[None]:
        with self._folder.undone_with():
            async with self._database.transaction(**kind):
                await self._database.execute(WORK_THERE)
                yield


async def untold(database: Database) -> int:
    """How many rows were mended and are not told yet."""
    number: int = await database.fetchval(QUERIES.waiting)
    return number


async def tell(settings: Settings, database: Database, watcher: Watcher) -> int:
    """Publish what was mended and is not out yet."""
    waiting = await untold(database)
    if not waiting:
        return 0
    publisher = Publisher(settings, "muster-replay")
    try:
        with watcher.progress("Publishing progress", waiting, unit="rows") as steps:
            return await outbox.publish(database, publisher, steps.advance)
    finally:
        await publisher.close()


@asynccontextmanager
async def begun(settings: Settings, database: Database, watcher: Watcher) -> AsyncIterator[Rebuild]:
    """Have tables beside the live ones, for as long as this lasts."""
    await database.execute(QUERIES.drop)
    await database.execute(QUERIES.make)
    for side, schema in (("here", "notifier"), ("there", "notifier_beside")):
        await database.execute(QUERIES.side.replace("{side}", side).replace("{schema}", schema))
    try:
        async with folding(settings, database) as folder:
            yield Rebuild(settings, database, folder, watcher)
    finally:
        if not database.is_closed():
            await database.execute(QUERIES.drop)


class _Silent:
    def advance(self, number: int = 1) -> None:
        """Nobody watches the little that is left."""


def _loaded(row: str | None) -> Mapping[str, Any] | None:
    return None if row is None else orjson.loads(row)
