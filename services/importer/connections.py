"""What the journal is told of the practices' connections to XPM: each change once, however long Kafka takes."""

import asyncio
import random
from collections.abc import Mapping
from typing import TYPE_CHECKING

import structlog

from schemas.topics import JOURNAL
from services.importer import domain
from services.importer.settings import Connection
from worker import queries, retry
from worker.failures import Verdict, classify, describe
from worker.records import Outgoing

if TYPE_CHECKING:
    from asyncpg import Pool, Record

    from worker.publisher import Publisher

log = structlog.get_logger(__name__)

QUERIES = queries.load("services.importer", "connections.sql")


class Connections:
    """The connections as they are configured, and as they were last told."""

    def __init__(
        self, pool: "Pool[Record]", publisher: "Publisher", configured: Mapping[str, Connection]
    ) -> None:
        self._pool = pool
        self._publisher = publisher
        self._configured = configured

    async def tell(self) -> None:
        """Note what is configured and tell what changed, however many attempts it takes; then wait to be cancelled."""
        attempt = 0
        while True:
            try:
                await self._note()
                await self._publish()
                break
            except Exception as error:
                if classify(error) is not Verdict.PASSING:
                    raise
                attempt += 1
                log.warning("connections_not_told", error=describe(error))
                await asyncio.sleep(retry.delay(attempt, random.random()))  # noqa: S311 - not for secrets
        await asyncio.Event().wait()

    async def _note(self) -> None:
        tenants = sorted(self._configured)
        given = [self._configured[tenant] for tenant in tenants]
        await self._pool.execute(
            QUERIES.note,
            tenants,
            [each.xpm_tenant_id for each in given],
            [each.practice_name for each in given],
        )

    async def _publish(self) -> None:
        rows = await self._pool.fetch(QUERIES.untold)
        await self._publisher.publish(
            [Outgoing(JOURNAL, row["tenant_id"], domain.connected(**row)) for row in rows]
        )
        await self._pool.execute(
            QUERIES.told, [row["tenant_id"] for row in rows], [row["changes"] for row in rows]
        )
