"""The way out of what a swap has stored: published once it is committed, and by whoever comes next after a crash.

The same bytes every time: a state's version and id follow from the swap, and not from the moment of publishing.
"""

from collections.abc import Callable
from typing import Any

import orjson

from schemas.topics import OUTCOMES
from services.resolver import generations, rows
from services.resolver.domain import outcomes
from services.resolver.generations import Generation
from worker import queries
from worker.projection import Database
from worker.publisher import Publisher
from worker.records import Outgoing

QUERIES = queries.load("services.resolver.replaying", "outbox.sql")
AT_ONCE = 1_000


async def waiting(database: Database, live: Generation) -> int:
    """How many outcomes of the last swap are not out yet."""
    if not await database.fetchval(QUERIES.is_there, f"{live.schema}.swap_outcomes"):
        return 0
    number: int = await database.fetchval(QUERIES.waiting.replace("{schema}", live.schema))
    return number


async def publish(database: Database, publisher: Publisher, tell: Callable[[int], None]) -> int:
    """Publish what is waiting, unless another process is at it, and return how much it was."""
    live = await generations.showing(database)
    if not await waiting(database, live) or not await database.fetchval(QUERIES.alone):
        return 0
    try:
        return await _publish(database, live, publisher, tell)
    finally:
        await database.execute(QUERIES.done)


async def _publish(
    database: Database, live: Generation, publisher: Publisher, tell: Callable[[int], None]
) -> int:
    swap = await database.fetch(QUERIES.swap, live.swap)
    places = {row["partition"]: row for row in swap}
    published = 0
    while some := await database.fetch(QUERIES.some.replace("{schema}", live.schema), AT_ONCE):
        await publisher.publish([_outgoing(row, places[row["partition"]]) for row in some])
        await database.execute(QUERIES.out.replace("{schema}", live.schema), [row["number"] for row in some])
        published += len(some)
        tell(len(some))
    return published


def _outgoing(row: Any, swap: Any) -> Outgoing:
    if row["client_id"] is None:
        return Outgoing(OUTCOMES, row["tenant_id"], row["told"].encode())
    at = rows.milliseconds(swap["at"])
    assert at is not None
    event = outcomes.write_state(
        orjson.loads(row["told"]),
        tenant_id=row["tenant_id"],
        partition=row["partition"],
        offset=max(swap["offset"] - 1, 0),
        swap=swap["number"],
        number=row["number"],
        at=at,
    )
    return Outgoing(OUTCOMES, row["tenant_id"], event)
