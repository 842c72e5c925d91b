"""The facts of connections, published until they are acknowledged, however long Kafka takes."""

import asyncio
import random
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from schemas.topics import JOURNAL
from services.importer.connecting import given
from services.importer.connecting.store import QUERIES
from services.importer.settings import Connection
from worker import retry
from worker.failures import Verdict, classify, describe
from worker.records import Outgoing

if TYPE_CHECKING:
    from asyncpg import Pool, Record

    from worker.publisher import Publisher

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
"""How soon another process's facts are told when that process has died."""
AT_ONCE = 500


class Telling:
    """Tells the journal of changes. Call `wake` after one."""

    def __init__(
        self, pool: "Pool[Record]", publisher: "Publisher", configured: Mapping[str, Connection]
    ) -> None:
        self._pool = pool
        self._publisher = publisher
        self._configured = configured
        self._noted = False
        self._something_to_tell = asyncio.Event()

    def wake(self) -> None:
        """There may be something to tell."""
        self._something_to_tell.set()

    async def tell(self) -> None:
        """Note what the environment gives, then tell whatever there is; runs until cancelled."""
        attempt = 0
        while True:
            self._something_to_tell.clear()
            try:
                await self._note_once()
                while await self._publish():
                    pass
                attempt, pause = 0, LOOK_SECONDS
            except Exception as error:
                if classify(error) is not Verdict.PASSING:
                    raise
                attempt += 1
                pause = retry.delay(attempt, random.random())  # noqa: S311 - not for secrets
                log.warning("connections_not_told", error=describe(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._something_to_tell.wait()

    async def _note_once(self) -> None:
        if not self._noted:
            await given.note(self._pool, self._configured)
            self._noted = True

    async def _publish(self) -> bool:
        """Publish some facts; whether there may be more. Two processes may publish the same one: it is a repeat."""
        rows = await self._pool.fetch(QUERIES.untold, AT_ONCE)
        if rows:
            await self._publisher.publish([Outgoing(JOURNAL, row["tenant_id"], row["event"]) for row in rows])
            await self._pool.execute(
                QUERIES.told, [row["tenant_id"] for row in rows], [row["ordinal"] for row in rows]
            )
        return len(rows) == AT_ONCE
