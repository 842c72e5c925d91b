"""Being woken when requests come in, by whichever process took them in. A hint: workers look by themselves as well."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import structlog

from worker import retry
from worker.database import connect
from worker.failures import Verdict, classify, describe
from worker.settings import Settings

log = structlog.get_logger(__name__)

CHANNEL = "importer_requests"
CHECK_SECONDS = 15.0
"""How often the connection is tried: a dead peer says nothing."""


async def listen(settings: Settings, wake: Callable[[], None]) -> None:
    """Call `wake` at every notification, and connect again for as long as it takes; runs until cancelled."""
    attempt = 0
    while True:
        try:
            database = await connect(settings, "importer-wakening")
            try:
                await database.add_listener(CHANNEL, lambda *_: wake())
                attempt = 0
                wake()
                await _stay(database)
            finally:
                database.terminate()
        except Exception as error:
            if classify(error) is not Verdict.PASSING:
                raise
            attempt += 1
            log.info("not_listening", error=describe(error))
            await asyncio.sleep(retry.delay(attempt, random.random()))  # noqa: S311 - not for secrets


async def _stay(database: Any) -> None:
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        await database.execute("SELECT 1")
