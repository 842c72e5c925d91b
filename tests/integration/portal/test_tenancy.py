"""Row-level security: a reader sees one tenant's rows, in every table and view that has any, in every generation."""

from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest

from services.resolver import generations
from services.resolver.generations import Generation

Relation = tuple[str, str]

READABLE = """
    SELECT namespace.nspname AS schema, relation.relname AS name, relation.relkind::text AS kind
    FROM pg_class AS relation
    JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
    WHERE relation.relkind IN ('r', 'p', 'v', 'm')
        AND EXISTS (
            SELECT FROM pg_attribute
            WHERE attrelid = relation.oid AND attname = 'tenant_id' AND NOT attisdropped
        )
        AND has_table_privilege('muster_reader', relation.oid, 'SELECT')
        AND namespace.nspname NOT IN ('pg_catalog', 'information_schema')
"""
COLUMNS = """
    SELECT attname AS name, format_type(atttypid, NULL) AS type
    FROM pg_attribute
    WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity = ''
"""
VALUES = {
    "text": "'x'",
    "integer": "1",
    "bigint": "1",
    "boolean": "true",
    "jsonb": "'{}'",
    "json": "'{}'",
    "bytea": "''",
    "timestamp with time zone": "now()",
}


@pytest.fixture
async def server(database: str) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection to tables of two generations, each with a row of two tenants."""
    connection = await asyncpg.connect(database)
    async with connection.transaction():
        await generations.create(connection, Generation(number=2, rules=1, swap=0))
    await connection.execute("SELECT notifier.add_partitions(current_date)")
    for schema, name in await relations(connection, "r", "p"):
        await fill(connection, f"{schema}.{name}")
    yield connection
    await connection.close()


async def relations(server: asyncpg.Connection, *kinds: str) -> Sequence[Relation]:
    """What the readers' role may select from, of these kinds, and has tenants in it."""
    return [(row["schema"], row["name"]) for row in await server.fetch(READABLE) if row["kind"] in kinds]


async def fill(server: asyncpg.Connection, table: str) -> None:
    """A row of `oak` and one of `elm`, whatever the columns are; what they say does not matter here."""
    checks = "SELECT conname FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'c'"
    for row in await server.fetch(checks, table):
        await server.execute(f"ALTER TABLE {table} DROP CONSTRAINT {row['conname']}")
    columns = {row["name"]: row["type"] for row in await server.fetch(COLUMNS, table)}
    names = ", ".join(f'"{name}"' for name in columns)
    for tenant in ("oak", "elm"):
        values = [f"'{tenant}'" if name == "tenant_id" else VALUES[kind] for name, kind in columns.items()]
        await server.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join(values)})")


async def seen(server: asyncpg.Connection, relation: Relation, tenant: str | None) -> set[str]:
    """Whose rows a reader sees whose transaction names this tenant."""
    schema, name = relation
    async with server.transaction():
        await server.execute("SET LOCAL ROLE muster_reader")
        if tenant is not None:
            await server.execute("SELECT set_config('muster.tenant_id', $1, true)", tenant)
        return {row["tenant_id"] for row in await server.fetch(f"SELECT tenant_id FROM {schema}.{name}")}


async def test_a_reader_sees_nothing_of_another_tenant_anywhere(server: asyncpg.Connection) -> None:
    """The named tenant's rows, and without a name none."""
    everywhere = await relations(server, "r", "p", "v", "m")
    schemas = {schema for schema, _ in everywhere}
    assert schemas >= {"resolver", "resolver_g1", "resolver_g2", "notifier"}
    for relation in everywhere:
        whose = await seen(server, relation, "oak")
        assert whose <= {"oak"}, relation
        assert await seen(server, relation, None) == set(), relation
        if relation[0] != "resolver":
            assert whose == {"oak"}, f"{relation} shows a reader nothing at all"


async def test_after_a_swap_the_views_show_the_new_generation_and_nothing_of_another_tenant(
    server: asyncpg.Connection,
) -> None:
    """A swap replaces what the views show, and leaves who may see what."""
    async with server.transaction():
        await generations.show(server, Generation(number=2, rules=1, swap=1))
    await server.execute("DELETE FROM resolver_g1.items")

    for relation in await relations(server, "v"):
        if relation[0] == "resolver":
            assert await seen(server, relation, "oak") == {"oak"}, relation
            assert await seen(server, relation, None) == set(), relation


async def test_views_look_with_the_rights_of_whoever_asks(server: asyncpg.Connection) -> None:
    """A view with its owner's rights would pass row-level security by."""
    options = await server.fetch(
        "SELECT relname, reloptions FROM pg_class WHERE relkind = 'v' AND relname = ANY ($1::text[])",
        [name for _, name in await relations(server, "v")],
    )
    assert options
    assert all("security_invoker=true" in (row["reloptions"] or ()) for row in options)


async def test_a_reader_reads_nothing_of_the_importer(server: asyncpg.Connection) -> None:
    """Tokens and requests are the importer's own."""
    assert {schema for schema, _ in await relations(server, "r", "p", "v", "m")} & {"importer"} == set()
