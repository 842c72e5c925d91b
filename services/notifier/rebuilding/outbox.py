"""The way out of what a rebuild has mended: published once it is committed, and by the notifier after a crash."""

from collections.abc import Callable

import structlog

from schemas.topics import PROGRESS
from services.notifier.rebuilding.mending import QUERIES
from worker.database import Database
from worker.publisher import Publisher
from worker.records import Outgoing

log = structlog.get_logger(__name__)

AT_ONCE = 1_000


async def publish(database: Database, publisher: Publisher, tell: Callable[[int], None]) -> int:
    """Publish what is waiting, unless another process is at it, and return how much it was."""
    if not await database.fetchval(QUERIES.waiting) or not await database.fetchval(QUERIES.alone):
        return 0
    published = 0
    try:
        while some := await database.fetch(QUERIES.some, AT_ONCE):
            await publisher.publish(
                [Outgoing(PROGRESS, row["tenant_id"], row["event"].encode()) for row in some]
            )
            await database.execute(QUERIES.out, [row["number"] for row in some])
            published += len(some)
            tell(len(some))
        return published
    finally:
        await database.execute(QUERIES.done)
