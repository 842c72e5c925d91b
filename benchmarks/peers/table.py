"""The table that every peer keeps: a row for each subject of a tenant, as the last event about it had it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncpg

    from benchmarks.filling import Filled

COLUMNS = (
    "tenantid",
    "subject",
    "id",
    "type",
    "time",
    "data.import_id",
    "data.client_id",
    "data.item_id",
    "data.xpm_party_id",
    "data.relationship.type",
    "data.relationship.start_date",
    "data.personal.name",
    "data.personal.email",
    "data.personal.phone",
    "data.personal.date_of_birth",
    "data.personal.address",
    "data.decided_by",
)
"""Paths into the event; a column's name is its path with underscores."""
KEY = ("tenantid", "subject")
NAMES = tuple(path.replace(".", "_") for path in COLUMNS)


async def make(database: "asyncpg.Connection[asyncpg.Record]", table: str) -> None:
    """An empty table of this name, in place of the last one."""
    columns = ", ".join(f"{name} text" for name in NAMES)
    await database.execute(f"DROP TABLE IF EXISTS {table}")
    await database.execute(f"CREATE TABLE {table} ({columns}, PRIMARY KEY ({', '.join(KEY)}))")


async def has_begun(database: "asyncpg.Connection[asyncpg.Record]", table: str) -> bool:
    return bool(await database.fetchval(f"SELECT EXISTS (SELECT FROM {table})"))


async def is_complete(database: "asyncpg.Connection[asyncpg.Record]", table: str, filled: "Filled") -> bool:
    """Whether the last record of every partition is in."""
    lasts = filled.lasts.values()
    there = await database.fetchval(
        f"SELECT count(*) FROM {table} JOIN unnest($1::text[], $2::text[], $3::text[]) "
        "AS last (tenantid, subject, id) USING (tenantid, subject, id)",
        [each.tenant for each in lasts],
        [each.subject for each in lasts],
        [each.id for each in lasts],
    )
    return bool(there == len(lasts))
