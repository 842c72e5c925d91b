"""Connections that the environment gives: a token that somebody made elsewhere, used as it is."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from services.importer import domain
from services.importer.connecting.store import QUERIES
from services.importer.settings import Connection

if TYPE_CHECKING:
    from asyncpg import Pool, Record


async def note(pool: "Pool[Record]", configured: Mapping[str, Connection]) -> None:
    """Note what is configured; what changed is to be told."""
    tenants = sorted(configured)
    given = [configured[tenant] for tenant in tenants]
    async with pool.acquire() as database, database.transaction():
        changed = await database.fetch(
            QUERIES.note_given,
            tenants,
            [each.xpm_tenant_id for each in given],
            [each.practice_name for each in given],
        )
        for row in changed:
            await database.execute(QUERIES.tell, row["tenant_id"], domain.given(**row))
