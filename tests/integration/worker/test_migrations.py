"""Migrations on a real Postgres."""

import asyncio
import dataclasses

import asyncpg
import pytest

from ops import schema_dump
from ops.migrate import migrate
from worker.migrate import Migration, WrongMigrations, alone, apply, migrations

FIRST = Migration(1, "0001_first.sql", "CREATE TABLE first (id integer);")
SECOND = Migration(2, "0002_second.sql", "CREATE TABLE second (id integer);")


async def test_the_dumped_schema_is_what_the_migrations_come_to(empty_database: str) -> None:
    """`make generate` would change nothing."""
    await migrate(empty_database)

    assert schema_dump.FILE.read_text(encoding="utf-8") == await schema_dump.dump(empty_database)


async def test_migrating_again_does_nothing(empty_database: str) -> None:
    """What was applied is applied once."""
    first = await migrate(empty_database)

    assert [each.name for each in migrations()] == first
    assert await migrate(empty_database) == []


async def test_processes_that_migrate_at_once_do_it_once(empty_database: str) -> None:
    """Whoever comes while another migrates waits, and finds everything done."""
    done = await asyncio.gather(*(migrate(empty_database) for _ in range(4)))

    assert [[], [], [], [each.name for each in migrations()]] == sorted(done)


async def test_only_what_is_missing_is_applied(empty_database: str) -> None:
    """A release with one more migration applies that one."""
    async with alone(empty_database) as database:
        await apply(database, [FIRST])

        assert await apply(database, [FIRST, SECOND]) == ["0002_second.sql"]


async def test_a_migration_that_was_edited_is_refused(empty_database: str) -> None:
    """What the database was made by must not change afterwards; nothing is applied then."""
    async with alone(empty_database) as database:
        await apply(database, [FIRST])
        edited = dataclasses.replace(FIRST, text="CREATE TABLE first (id bigint);")

        with pytest.raises(WrongMigrations, match=r"0001_first\.sql was edited after it was applied"):
            await apply(database, [edited, SECOND])
        assert await database.fetchval("SELECT to_regclass('second')") is None


async def test_a_database_of_a_later_release_is_refused(empty_database: str) -> None:
    """An older release does not touch what a newer one has made."""
    async with alone(empty_database) as database:
        await apply(database, [FIRST, SECOND])

        with pytest.raises(WrongMigrations, match=r"ahead of this release: it has 0002_second\.sql"):
            await apply(database, [FIRST])


async def test_a_migration_that_fails_leaves_nothing_behind(empty_database: str) -> None:
    """Each is one transaction, with the note that it was applied."""
    broken = Migration(2, "0002_broken.sql", "CREATE TABLE second (id integer); SELECT 1 / 0;")
    async with alone(empty_database) as database:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await apply(database, [FIRST, broken])

        assert await database.fetchval("SELECT to_regclass('second')") is None
        assert await apply(database, [FIRST, SECOND]) == ["0002_second.sql"]


@pytest.mark.parametrize("service", ["importer", "notifier"])
async def test_a_service_writes_its_own_schema_only(database: str, service: str) -> None:
    """The role of one service has no right on the tables of another."""
    others = {"importer", "notifier", "resolver_g1"} - {service}
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(f"SET ROLE muster_{service}")
        await connection.execute(f"UPDATE {service}.positions SET epoch = 2")
        for other in others:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"UPDATE {other}.positions SET epoch = 2")
    finally:
        await connection.close()
