"""A few records are stored in one statement, and that only where nobody else was there first."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from tests.support.eventually import eventually
from tests.support.journals.cutting import Delivery, in_one_piece
from tests.support.model.fold import Model
from tests.support.resolving.loop import SCHEMA, Loop, resolving
from tests.support.resolving.story import ModelResolver, Story
from worker.database import Database
from worker.failures import Rewind, WrongLog

LOCKS = {
    "rows": f"SELECT FROM {SCHEMA}.positions FOR UPDATE",
    "table": f"LOCK TABLE {SCHEMA}.positions IN EXCLUSIVE MODE",
}
SWAP = """
INSERT INTO resolver.generations (number, rules, swap, live, made_at) SELECT 2, rules, 1, false, now()
FROM resolver.generations WHERE live;
UPDATE resolver.generations SET live = false WHERE number = 1;
UPDATE resolver.generations SET live = true WHERE number = 2;
"""


@pytest.fixture
def story() -> Story:
    """Two members, one of whom changes."""
    story = Story(ModelResolver())
    story.add_client("c1")
    story.record_member("m1", "c1", name="Ann", email="ann@a.example", co_owner=True)
    story.record_member("m2", "c1", name="Bob")
    story.record_member("m1", "c1", name="Ann", email="other@a.example", co_owner=True)
    return story


@asynccontextmanager
async def another(database: str, story: Story) -> AsyncIterator[Loop]:
    """A second process, on the same tables as they are."""
    connection = await asyncpg.connect(database)
    try:
        loop = Loop(connection, story.entries)
        await loop.start()
        yield loop
    finally:
        await connection.close()


@asynccontextmanager
async def holding(database: str, locks: str) -> AsyncIterator[Database]:
    """A transaction that has the positions, to its end."""
    connection = await asyncpg.connect(database)
    try:
        async with connection.transaction():
            await connection.execute(LOCKS[locks])
            yield connection
    finally:
        await connection.close()


async def are_waiting(database: Database, number: int) -> bool:
    """Whether so many wait for a lock in this database."""
    return bool(
        await database.fetchval(
            "SELECT count(*) = $1 FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'",
            number,
        )
    )


def published(*loops: Loop) -> list[bytes]:
    return [each.value for loop in loops for told in loop.published.values() for each in told]


async def stored(loop: Loop, story: Story) -> bool:
    model = Model(entry.record() for entry in story.entries)
    return await loop.tables() == model.tables() and len(await loop.told()) == len(story.entries)


async def test_a_few_records_take_two_statements(database: str, story: Story) -> None:
    """One that looks everything up, and one that stores everything."""
    async with resolving(database, story.entries) as loop:
        await loop.deliver(Delivery(0, 1))
        statements: list[str] = []
        loop.database.add_query_logger(lambda query: statements.append(query.query))
        await loop.deliver(Delivery(1, len(story.entries)))
        await asyncio.sleep(0)  # asyncpg logs what it did in the next turn of the event loop

        assert [each.split()[0] for each in statements] == ["WITH", "WITH"]
        assert await stored(loop, story)


async def test_what_somebody_else_has_stored_before_is_dropped(database: str, story: Story) -> None:
    """A process that lost its partitions without knowing it changes nothing, and tells nothing."""
    async with resolving(database, story.entries) as loop, another(database, story) as zombie:
        await loop.deliver(*in_one_piece(story.entries))
        await zombie.deliver(*in_one_piece(story.entries))

        assert not published(zombie)
        assert await stored(loop, story)


@pytest.mark.parametrize("given", [2, 4], ids=["as_many", "fewer"])
async def test_what_somebody_else_stores_meanwhile_is_dropped(
    database: str, story: Story, given: int
) -> None:
    """Loaded before the other one committed, and to be stored after that."""
    async with resolving(database, story.entries) as loop, another(database, story) as zombie:
        async with holding(database, "rows") as held:
            other = asyncio.create_task(loop.deliver(Delivery(0, 2)))
            late = asyncio.create_task(zombie.deliver(Delivery(0, given)))
            await eventually(lambda: are_waiting(held, 2))
        await asyncio.gather(other, late)
        await loop.deliver(Delivery(0, len(story.entries)))

        told = published(loop, zombie)
        assert len(set(told)) == len(told) == len(story.entries)
        assert await stored(loop, story)


async def test_what_a_position_has_passed_meanwhile_is_dropped(database: str, story: Story) -> None:
    """Also where nothing is stored of it that would be there twice."""
    async with resolving(database, story.entries) as loop:
        async with holding(database, "rows") as held:
            late = asyncio.create_task(loop.deliver(Delivery(0, 2)))
            await eventually(lambda: are_waiting(held, 1))
            await held.execute(f"UPDATE {SCHEMA}.positions SET applied_to = 2, published_to = 2")
        await late

        assert await loop.told() == {}
        assert not published(loop)


@pytest.mark.parametrize("locks", list(LOCKS))
async def test_tables_that_are_live_no_more_take_nothing(database: str, story: Story, locks: str) -> None:
    """A swap that commits while a batch is about to be stored: it is read again for the tables that are live now."""
    async with resolving(database, story.entries) as loop:
        async with holding(database, locks) as swap:
            late = asyncio.create_task(loop.deliver(Delivery(0, 2)))
            await eventually(lambda: are_waiting(swap, 1))
            await swap.execute(SWAP)
        with pytest.raises(Rewind):
            await late

        assert await loop.told() == {}
        assert not published(loop)


async def test_a_position_in_another_log_takes_nothing(database: str, story: Story) -> None:
    """Whatever else it says, it is not this batch's."""
    async with resolving(database, story.entries) as loop:
        await loop.database.execute(f"UPDATE {SCHEMA}.positions SET epoch = 2")
        with pytest.raises(WrongLog):
            await loop.deliver(Delivery(0, 2))

        assert await loop.told() == {}


async def test_a_repeat_among_few_records_is_answered_by_the_first(database: str, story: Story) -> None:
    """Also where both are in one batch."""
    story.again()
    async with resolving(database, story.entries) as loop:
        await loop.deliver(*in_one_piece(story.entries))

        assert published(loop)[-1] == published(loop)[-2]
        assert await stored(loop, story)
