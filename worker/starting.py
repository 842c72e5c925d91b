"""What a starting process waits for: a broker with its topics, and a database."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from schemas.topics import Topic
from worker import retry, topics
from worker.database import connect
from worker.failures import Stop, Verdict, classify, describe
from worker.settings import Settings

log = structlog.get_logger(__name__)


class NotThere(Stop):
    """Something that the process cannot do without did not come. Start it, and then this process again."""


async def wait_for_database(settings: Settings) -> None:
    """Return when the database takes connections. Raises `NotThere`."""

    async def look() -> None:
        await (await connect(settings, "start")).close()

    await _wait_for("the database (MUSTER_POSTGRES_DSN)", look, settings)


async def wait_for_topics(settings: Settings, wanted: Sequence[Topic]) -> None:
    """Return when the brokers have these topics. Raises `NotThere`, and `UnsafeTopics` for one that is not right."""

    async def look() -> None:
        states = [each for each in await topics.look(settings) if each.topic in wanted]
        topics.check_existence(settings, states)
        topics.check(states)

    await _wait_for("Kafka (MUSTER_KAFKA) with its topics (muster topics --create)", look, settings)


async def _wait_for(what: str, look: Callable[[], Awaitable[None]], settings: Settings) -> None:
    deadline = time.monotonic() + settings.start_seconds
    attempt = 0
    while True:
        attempt += 1
        try:
            return await look()
        except Exception as error:
            if classify(error) is not Verdict.PASSING:
                raise
            if time.monotonic() > deadline:
                raise NotThere(f"{what} did not answer for {settings.start_seconds:g} seconds.") from error
            if attempt in {3, 10, 20}:
                log.info("waiting_for", what=what, error=describe(error))
        await asyncio.sleep(retry.delay(min(attempt, 4), random.random()))  # noqa: S311 - not for secrets
