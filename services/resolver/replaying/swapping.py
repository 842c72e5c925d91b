"""One transaction in which readers and the resolver go over to another generation.

It takes the locks of all positions, so that no batch is under way, settles what has come since the comparison, and
replaces the readers' views last. Whoever holds something that it needs is not waited for longer than a moment: then it
lets go of everything and tries again.
"""

import asyncio
import time
from dataclasses import dataclass

import asyncpg
import structlog

from schemas.progress import VISIBLE_HOURS
from schemas.topics import JOURNAL
from services.resolver import generations
from services.resolver.domain.version import RULES_VERSION
from services.resolver.generations import ROLE, Generation
from services.resolver.replaying.settling import QUERIES, Settling
from worker.failures import Stop
from worker.projection import Database

log = structlog.get_logger(__name__)

ATTEMPTS = 20
PAUSE_SECONDS = 0.5
POSITIONS_WAIT = "2s"
"""For batches under way to end."""
VIEWS_WAIT = "300ms"
"""For readers' transactions to end; whoever comes meanwhile waits behind us."""


class NotSwapped(Stop):
    """The locks were not to be had. Nothing was changed: run the command again when there is less going on."""


class LiveChanged(Stop):
    """Another generation is live since this one was compared. Run the command again."""


@dataclass(frozen=True, slots=True)
class Swapped:
    """A swap that took place: its number, how long the resolver and the readers had to wait, what it settled."""

    number: int
    records: int
    resolver_seconds: float
    readers_seconds: float
    attempts: int


async def swap(settling: Settling, *, restored: bool = False) -> Swapped:
    """Let `there` be live. `restored`: the live tables are empty, and the last 72 hours are told again.

    Raises `NotSwapped`, `LiveChanged`.
    """
    recent = await _recent(settling) if restored else {}
    for attempt in range(1, ATTEMPTS + 1):
        compared_to = dict(settling.compared_to)
        try:
            return await _swap(settling, recent, attempt, restored=restored)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            settling.compared_to = compared_to
            log.info("swap_tries_again", attempt=attempt)
            await asyncio.sleep(PAUSE_SECONDS)
    raise NotSwapped(
        "The resolver or a reader held its locks all the time, and nothing was changed. Look for long transactions in "
        "pg_stat_activity, then run the command again."
    )


async def take_over(settling: Settling) -> bool:
    """Let the live tables count as folded by this release's rules, unless something differs after all."""
    async with settling.database.transaction():
        await _lock(settling)
        await settling.settle()
        if await settling.comparison.counts():
            return False
        await settling.database.execute(QUERIES.take_over, settling.here.number, RULES_VERSION)
    return True


async def next_number(database: Database) -> int:
    """The number of the next swap; it only ever grows."""
    last: int = await database.fetchval(QUERIES.last_number)
    return last + 1


async def _swap(settling: Settling, recent: dict[int, int], attempt: int, *, restored: bool) -> Swapped:
    database, here, there = settling.database, settling.here, settling.there
    async with database.transaction():
        await _lock(settling)
        locked = time.monotonic()
        records = await _check_empty(settling) if restored else await settling.settle()
        await database.execute(f"SET LOCAL ROLE {ROLE}")
        await _positions(settling, recent, restored=restored)
        await database.execute("SET LOCAL ROLE NONE")
        await database.execute(QUERIES.add_swap, settling.swap, there.number, here.number)
        await database.execute(
            QUERIES.add_swap_offsets.replace("{there}", there.schema), settling.swap, restored, JOURNAL.name
        )
        await database.execute(QUERIES.retire, here.number, settling.swap)
        await database.execute(QUERIES.make_live, there.number, settling.swap)
        await generations.seal(database, there)
        await database.execute(f"SET LOCAL lock_timeout = '{VIEWS_WAIT}'")
        began = time.monotonic()
        await generations.show(database, there)
    ended = time.monotonic()
    return Swapped(settling.swap, records, ended - locked, ended - began, attempt)


async def _lock(settling: Settling) -> None:
    database = settling.database
    await database.execute(f"SET LOCAL lock_timeout = '{POSITIONS_WAIT}'")
    await database.execute(f"SET LOCAL ROLE {ROLE}")
    await database.execute(QUERIES.lock.replace("{here}", settling.here.schema))
    await database.execute("SET LOCAL ROLE NONE")
    found = await database.fetchrow(QUERIES.lock_live)
    if found is None or Generation(**found) != settling.here:
        raise LiveChanged("Another generation is live since this one was compared. Run the command again.")


async def _check_empty(settling: Settling) -> int:
    found = await settling.database.fetch(QUERIES.here.replace("{here}", settling.here.schema))
    if any(row["applied_to"] for row in found):
        raise LiveChanged("The resolver has begun to fill the empty tables. Run the command again.")
    return 0


async def _positions(settling: Settling, recent: dict[int, int], *, restored: bool) -> None:
    database, parts = settling.database, {"here": settling.here.schema, "there": settling.there.schema}
    if restored:
        text = QUERIES.publish_from.replace("{there}", parts["there"])
        for partition in await database.fetch(QUERIES.here.replace("{here}", parts["there"])):
            number = partition["partition"]
            await database.execute(text, number, recent.get(number))
        return
    for query in (QUERIES.carry_published, QUERIES.let_go):
        text = query
        for name, schema in parts.items():
            text = text.replace(f"{{{name}}}", schema)
        await database.execute(text)


async def _recent(settling: Settling) -> dict[int, int]:
    text = QUERIES.first_of_last_hours.replace("{there}", settling.there.schema)
    async with settling.database.transaction():
        await settling.database.execute(f"SET LOCAL ROLE {ROLE}")
        found = await settling.database.fetch(text, VISIBLE_HOURS)
    return {row["partition"]: row["offset"] for row in found}
