"""Tables that are empty although outcomes have been published: a database was lost, or is another one.

A resolver that filled them anew would tell everything there ever was once more, under numbers that other answers may
have had before. `muster replay --swap` gives the tables, a number above all that were told, and the last 72 hours.
"""

import asyncio

from asyncpg import UndefinedTableError

from schemas.topics import OUTCOMES
from services.resolver.generations import QUERIES, Generation
from worker import topics
from worker.failures import Rewind, StandBy
from worker.projection import Database
from worker.settings import Settings
from worker.tail import consuming

ANSWER_SECONDS = 10.0
WHY = (
    "the tables are empty, and yet outcomes have been published: the database was lost, or is not the right one. "
    "Connect to the right one or restore a backup; without any, `muster replay --swap` brings the tables back from the "
    "topics, and the resolver joins by itself"
)


async def are_emptied(settings: Settings, database: Database, live: Generation) -> bool:
    """Whether it is so. Asks Kafka only where the live tables are empty, and no swap has made them live."""
    text = QUERIES.nothing_applied.replace("{live}", live.schema)
    if live.swap or not await database.fetchval(text):
        return False
    async with asyncio.timeout(ANSWER_SECONDS), consuming(settings, "resolver-start") as kafka:
        places = await topics.partitions(settings, OUTCOMES)
        published = any((await kafka.end_offsets(places)).values())
    # Another process may have begun meanwhile; what it publishes it has committed before.
    return published and bool(await database.fetchval(text))


async def check(settings: Settings, database: Database, live: Generation) -> None:
    """Raise `StandBy` where it is so, unless the settings allow it; `Rewind` where a swap has just taken them away."""
    if settings.fill_emptied:
        return
    try:
        emptied = await are_emptied(settings, database, live)
    except UndefinedTableError:
        raise Rewind(f"generation {live.number} is gone by now") from None
    if emptied:
        raise StandBy(WHY)
