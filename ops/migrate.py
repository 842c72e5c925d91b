"""`muster migrate`: bring the database to what this release needs."""

import asyncio

from ops.addresses import settings_in_reach
from ops.audit import audited
from ops.voice import AsJson, speaking
from services.resolver import generations
from worker.database import Database
from worker.migrate import alone, apply, migrations
from worker.settings import Settings


async def migrate(dsn: str) -> list[str]:
    """Apply the missing migrations, make the resolver's first generation, and return the names of what was applied."""
    async with alone(dsn) as database:
        return await _migrate(database)


def command(as_json: AsJson = False) -> None:
    """Bring the database's tables to what this release needs: whatever is missing is applied, in order, once.

    Run it before the first start and at every release. Several at once wait for each other.

    For example:

        muster migrate
    """
    with speaking(as_json=as_json) as voice:
        applied = asyncio.run(_migrate_and_note(settings_in_reach()))
        voice.answer(
            {"applied": applied}, "\n".join(f"applied {name}" for name in applied) or "nothing to do"
        )


async def _migrate(database: Database) -> list[str]:
    applied = await apply(database, migrations())
    await generations.ensure(database)
    return applied


async def _migrate_and_note(settings: Settings) -> list[str]:
    """The first migrations make the audit, so here the line follows the change."""
    applied = await migrate(settings.postgres_dsn.get_secret_value())
    if applied:
        async with audited(settings, "migrate", {"applied": applied}):
            pass
    return applied
