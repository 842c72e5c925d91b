"""The one consumer loop: read, apply, publish, and never believe that it was done before Postgres says so.

A single task does all of the work, in turns. A turn joins the group if need be, takes over newly assigned partitions,
then takes one batch through its transaction, or a full one through two at once. While Postgres works on a batch, the
one before it is being published and, if there is much, the next one is being read. Whatever goes wrong, everything in
memory is thrown away and taken over again from the database; only what no waiting can mend ends the loop.
"""

import asyncio
import random
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from typing import Any, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer

from worker import metrics, retry
from worker.assignment import Assignment
from worker.database import HeldConnections
from worker.deadletters import DeadLetters
from worker.failures import CannotLeave, StandBy, Verdict, classify, describe
from worker.progress import Progress
from worker.projection import Projection
from worker.publisher import Publisher
from worker.settings import Settings
from worker.share import Share
from worker.subscription import subscribed
from worker.takeover import Takeover
from worker.topics import cluster_id

log = structlog.get_logger(__name__)

JOINING_PAUSE = 0.02
STAND_BY_PAUSE = 1.0

Result = TypeVar("Result")


class Consumer:
    """Consumes the topics of a projection until it is stopped."""

    def __init__(
        self,
        settings: Settings,
        projection: Projection,
        publisher: Publisher,
        dead_letters: DeadLetters,
        progress: Progress,
    ) -> None:
        self._settings = settings
        self._projection = projection
        self._publisher = publisher
        self._dead_letters = dead_letters
        self._progress = progress
        self._held = HeldConnections(settings, projection.group, projection.prepare, projection.lanes)
        self._assignment = Assignment(self._tidy)
        self._membership = AsyncExitStack()
        self._joined: tuple[AIOKafkaConsumer, Takeover] | None = None
        self._share: Share | None = None
        self._stopping = asyncio.Event()
        self._stop: asyncio.Task[Any] | None = None

    async def run(self) -> None:
        """Consume until `stop`. Raises what no waiting can mend."""
        failures = 0
        try:
            while not self._stopping.is_set():
                try:
                    await self._turn()
                    failures = 0
                except StandBy as why:
                    await self._stand_by(why)
                except Exception as error:
                    if not self._may_pass(error):
                        raise
                    failures += 1
                    await self._start_over(error, failures)
        finally:
            await self._end()

    def stop(self) -> None:
        """Finish the batch under way, let its events out, note that, and leave the group."""
        self._stopping.set()

    async def _turn(self) -> None:
        if self._joined is None:
            self._joined = await self._unless_stopping(self._join())
        if self._joined is None:
            return
        kafka, takeover = self._joined
        if self._assignment.partitions is None:
            await self._pause(JOINING_PAUSE)
            return
        if self._share is None:
            async with self._assignment.busy:
                database = await self._held.first()
                self._share = await takeover.take_over(kafka, self._assignment, database, self._may_go_on)
        await self._work(self._share)

    async def _work(self, share: Share) -> None:
        batch = None
        if share.turn == self._assignment.turn:
            batch = await self._unless_stopping(share.next(), self._assignment.change())
        async with self._assignment.busy:
            if share.turn != self._assignment.turn:
                await self._drop_share()
            elif batch is None:
                return
            elif batch.spans:
                await share.work(await self._held.all(), batch)
                self._progress.move()
            elif await share.rest(await self._held.first()):
                self._progress.move()
        self._progress.turn("consuming")

    async def _join(self) -> tuple[AIOKafkaConsumer, Takeover]:
        self._progress.turn("joining")
        log.info("joining", group=self._settings.group_name(self._projection.group))
        await self._held.first()
        takeover = Takeover(
            self._settings,
            self._projection,
            self._publisher,
            self._dead_letters,
            await cluster_id(self._settings),
        )
        kafka = await self._membership.enter_async_context(
            subscribed(self._settings, self._projection.group, self._projection.topics, self._assignment)
        )
        return kafka, takeover

    def _may_go_on(self) -> bool:
        """Asked while much is published again: it goes on, and that is progress."""
        self._progress.turn(self._progress.state)
        self._progress.move()
        return not self._stopping.is_set()

    def _may_pass(self, error: Exception) -> bool:
        verdict = classify(error)
        return verdict is Verdict.PASSING or (verdict is Verdict.BROKEN and self._held.is_lost)

    async def _start_over(self, error: Exception, failures: int) -> None:
        """Throw everything in memory away, and wait a little longer each time."""
        async with self._assignment.busy:
            await self._drop_share()
            await self._held.close()
        pause = retry.delay(failures, random.random())  # noqa: S311 - not for secrets
        metrics.RETRIES.labels(type(error).__name__).inc()
        log.warning("trying_again", error=describe(error), failures=failures, seconds=round(pause, 3))
        self._progress.turn("waiting")
        self._progress.move()
        await self._pause(pause)

    async def _stand_by(self, why: StandBy) -> None:
        """Wait outside the group: the tables are for a process with other rules."""
        if self._progress.state != "standing_by":
            log.warning("standing_by", why=str(why))
            async with self._assignment.busy:
                with suppress(
                    Exception
                ):  # what does not get out now is published from the tables that are live then
                    await self._tidy()
        await self._leave()
        self._progress.turn("standing_by")
        self._progress.move()
        await self._pause(STAND_BY_PAUSE)

    async def _end(self) -> None:
        async with self._assignment.busy:
            with suppress(Exception):
                await self._tidy()
        with suppress(CannotLeave):
            await self._leave()
        if self._stop is not None:
            self._stop.cancel()
        self._progress.turn("stopped")

    async def _leave(self) -> None:
        async with self._assignment.busy:
            await self._drop_share()
            await self._held.close()
        self._joined = None
        await self._membership.aclose()  # not while `busy` is held: a rebalance under way waits for it
        self._membership = AsyncExitStack()
        self._assignment.partitions = None

    async def _tidy(self) -> None:
        if self._share is not None:
            await self._share.tidy(await self._held.first())

    async def _drop_share(self) -> None:
        share, self._share = self._share, None
        if share is not None:
            await share.drop()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _unless_stopping(
        self, doing: Coroutine[Any, Any, Result], *interruptions: asyncio.Future[None]
    ) -> Result | None:
        """The result, or None as soon as the loop is to stop, or is interrupted."""
        task = asyncio.ensure_future(doing)
        try:
            await asyncio.wait({task, self._asked(), *interruptions}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            task.cancel()
            await asyncio.wait({task})

    def _asked(self) -> asyncio.Task[Any]:
        """Done when the loop is to stop; one for its whole life, since each turn waits for it."""
        if self._stop is None:
            self._stop = asyncio.create_task(self._stopping.wait())
        return self._stop
