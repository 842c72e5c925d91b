"""The partitions of the read model: made ahead of time, dropped when nobody can see a row in them any more."""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from schemas.progress import VISIBLE_HOURS
from services.notifier import store
from worker.database import connect
from worker.failures import Verdict, classify, describe
from worker.settings import Settings

log = structlog.get_logger(__name__)

DAYS_AHEAD = 2
VISIBLE = timedelta(hours=VISIBLE_HOURS)
MARGIN = timedelta(hours=24)
"""How long rows that nobody sees are kept, for whoever looks into what happened."""
EVERY_SECONDS = 600.0
AGAIN_SECONDS = 30.0
"""After a failure; dropping gives up soon when the tables are in use, rather than hold readers up."""


class Upkeep:
    """Looks after the partitions now and then."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def run(self) -> None:
        """Go on for ever; what fails in passing is tried again."""
        while True:
            try:
                await self.tidy(datetime.now(UTC))
                pause = EVERY_SECONDS
            except Exception as error:
                if classify(error) is not Verdict.PASSING:
                    raise
                log.info("partitions_left_for_later", error=describe(error))
                pause = AGAIN_SECONDS
            await asyncio.sleep(pause)

    async def tidy(self, now: datetime) -> None:
        """Make the partitions that rows may need soon, then drop the old ones."""
        database = await connect(self._settings, "upkeep", role="muster_notifier", search_path="notifier")
        try:
            oldest = now - VISIBLE
            for days in range((now - oldest).days + DAYS_AHEAD + 1):
                if await store.add_partitions(database, (oldest + timedelta(days=days)).date()):
                    log.info("partitions_made", day=str((oldest + timedelta(days=days)).date()))
            dropped = await store.drop_partitions(database, oldest - MARGIN)
            if dropped:
                log.info("partitions_dropped", tables=dropped)
        finally:
            await database.close(timeout=2)
