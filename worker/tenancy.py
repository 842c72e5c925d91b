"""Reading as one tenant: in a transaction that names it, through a role that sees the rows of no other."""

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from worker import queries
from worker.failures import Verdict, classify
from worker.problems import unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asyncpg import Pool, Record
    from asyncpg.pool import PoolConnectionProxy

QUERIES = queries.load("worker", "tenancy.sql")
LEND_SECONDS = 5.0
"""How long a reader waits for a connection before it is told to come again."""


@asynccontextmanager
async def showing(pool: "Pool[Record]", tenant_id: str) -> "AsyncIterator[PoolConnectionProxy[Record]]":
    """A connection that shows the rows of one tenant. Raises `Problem` when the database does not answer."""
    try:
        async with pool.acquire(timeout=LEND_SECONDS) as database, database.transaction(readonly=True):
            await database.execute(QUERIES.for_tenant, tenant_id)
            yield database
    except Exception as error:
        if classify(error) is Verdict.PASSING:
            raise unavailable("The database does not answer; try again in a moment.") from error
        raise
