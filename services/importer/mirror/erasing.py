"""Erasing what is kept of practices that are not connected any more, or of all if nothing is to be kept."""

import asyncio
from collections.abc import Iterable

import structlog

from services.importer.mirror.store import Store
from worker.failures import Verdict, classify, describe

log = structlog.get_logger(__name__)

EVERY_SECONDS = 60.0


class Erasing:
    """`given` are the tenants whose connection is configured; `keep` is whether anything may be kept."""

    def __init__(self, store: Store, given: Iterable[str], *, keep: bool) -> None:
        self._store = store
        self._given = tuple(given)
        self._keep = keep

    async def run(self) -> None:
        """Look every minute, until cancelled."""
        while True:
            try:
                await (self._store.erase(self._given) if self._keep else self._store.erase_all())
            except Exception as error:
                if classify(error) is not Verdict.PASSING:
                    raise
                log.info("mirrors_not_erased", error=describe(error))
            await asyncio.sleep(EVERY_SECONDS)
