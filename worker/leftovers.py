"""A service's way out of what a command has stored and, because it was killed, not published."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from worker.database import COMMAND_SECONDS, CONNECT_SECONDS, Database, connect
from worker.failures import Stop, Verdict, classify, describe
from worker.publisher import Publisher
from worker.settings import Settings

log = structlog.get_logger(__name__)

LOOK_EVERY_SECONDS = 5.0

Publish = Callable[[Database, Publisher, Callable[[int], None]], Awaitable[int]]
"""Publishes what is waiting, tells how far it has come, and returns how much it was."""


class Leftovers:
    """A task beside the consumer loop. `session` are the settings of its connection, such as `role`."""

    def __init__(self, settings: Settings, publisher: Publisher, publish: Publish, **session: str) -> None:
        self._settings = settings
        self._publisher = publisher
        self._publish = publish
        self._session = session
        self._database: Database | None = None

    async def run(self) -> None:
        """Look now and then, for ever; what fails in passing is tried again, on another connection."""
        try:
            while True:
                try:
                    await self._look()
                except Exception as error:
                    await self._disconnect()
                    if classify(error) is not Verdict.PASSING and not isinstance(error, Stop):
                        raise
                    log.info("leftovers_left_for_later", error=describe(error))
                await asyncio.sleep(LOOK_EVERY_SECONDS)
        finally:
            await self._disconnect()

    async def _look(self) -> None:
        if self._database is None or self._database.is_closed():
            self._database = await connect(
                self._settings, "outbox", CONNECT_SECONDS, COMMAND_SECONDS, **self._session
            )
        number = await self._publish(self._database, self._publisher, lambda _: None)
        if number:
            log.info("leftovers_published", events=number)

    async def _disconnect(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            with suppress(Exception):
                await database.close(timeout=2)
