"""Partitions come before they are needed, and go when nobody can see a row in them."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from pydantic import SecretStr

from services.notifier import store
from services.notifier.upkeep import Upkeep
from tests.support.watching.story import request
from tests.support.watching.tables import DAY, Tables, notifier_tables, now
from worker.settings import Settings


@pytest.fixture
def upkeep(database: str) -> Upkeep:
    return Upkeep(Settings(postgres_dsn=SecretStr(database)))


async def days(tables: Tables) -> list[str]:
    found = await tables.database.fetch(
        "SELECT right(inhrelid::regclass::text, 8) AS day FROM pg_inherits "
        "WHERE inhparent = 'progress'::regclass ORDER BY 1"
    )
    return [row["day"] for row in found]


async def test_partitions_are_made_ahead(upkeep: Upkeep, tables: Tables) -> None:
    """From the oldest day that can be seen to the day after tomorrow; again changes nothing."""
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    await upkeep.tidy(noon)
    made = await days(tables)
    await upkeep.tidy(noon)

    assert made == ["20261120", "20261121", "20261122", "20261123", "20261124", "20261125"]
    assert await days(tables) == made


async def test_partitions_go_when_all_their_rows_are_over(upkeep: Upkeep, tables: Tables) -> None:
    """A day goes with its rows and snapshots 72 hours and a day after it ended, not earlier."""
    at = now()
    await tables.apply(request("old", at=at))
    end_of_day = datetime.fromtimestamp(at // DAY * DAY / 1000, UTC) + timedelta(days=1)
    await upkeep.tidy(end_of_day + timedelta(days=4, seconds=-1))
    before = await tables.shown()
    await upkeep.tidy(end_of_day + timedelta(days=4))

    assert list(before) == [("import", "old")]
    assert await tables.shown() == {}
    assert await tables.unpublished() == []


async def test_dropping_does_not_hold_readers_up(upkeep: Upkeep, tables: Tables, database: str) -> None:
    """While somebody reads for long, dropping gives up after a second and is tried again later."""
    at = now()
    await tables.apply(request("old", at=at))
    reader = await asyncpg.connect(database)
    async with reader.transaction():
        await reader.fetch("SELECT * FROM notifier.progress")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await upkeep.tidy(datetime.fromtimestamp(at / 1000, UTC) + timedelta(days=9))
        assert list(await tables.shown()) == [("import", "old")]
    await upkeep.tidy(datetime.fromtimestamp(at / 1000, UTC) + timedelta(days=9))
    await reader.close()

    assert await tables.shown() == {}


async def test_making_partitions_lets_readers_and_writers_go_on(
    upkeep: Upkeep, tables: Tables, database: str
) -> None:
    """A transaction that reads and writes does not keep the next days' partitions from being made."""
    await tables.apply(request("i1", at=now()))
    async with tables.database.transaction():
        await tables.fold([request("i2", at=now()).incoming(1)])
        await upkeep.tidy(datetime.now(UTC))
        await tables.database.fetch("SELECT * FROM progress")

    assert len(await days(tables)) >= 6


async def test_two_may_make_the_same_partitions(tables: Tables, database: str) -> None:
    """Whoever comes second waits, and finds them made."""
    day = datetime(2026, 12, 24, tzinfo=UTC).date()
    async with notifier_tables(database) as other:
        async with tables.database.transaction():
            assert await store.add_partitions(tables.database, day)
            waiting = asyncio.create_task(store.add_partitions(other.database, day))
            done, _ = await asyncio.wait({waiting}, timeout=0.3)
            assert not done

        assert not await waiting
