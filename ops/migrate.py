"""`muster migrate`: bring the database to what this release needs."""

import asyncio

from ops.addresses import plainly, settings_in_reach
from services.resolver import generations
from worker.migrate import alone, apply, migrations


async def migrate(dsn: str) -> list[str]:
    """Apply the missing migrations, make the resolver's first generation, and return the names of what was applied."""
    async with alone(dsn) as database:
        applied = await apply(database, migrations())
        await generations.ensure(database)
    return applied


def command() -> None:
    """Bring the database's tables to what this release needs."""
    with plainly():
        applied = asyncio.run(migrate(settings_in_reach().postgres_dsn.get_secret_value()))
    for name in applied:
        print(f"applied {name}")
    if not applied:
        print("nothing to do")
