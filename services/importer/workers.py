"""Taking requests in hand: as many as there are, few of each practice, each under a lease that is kept meanwhile.

There is no fixed number of workers that slow practices could use up. A request in hand costs a task that mostly waits.
Of a practice that answers quickly more are in hand than may call at once, so that what they do beside is done together.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from services.importer import metrics
from services.importer.queue import Claimed, LeaseLost, Look, Queue
from services.importer.steps import Steps
from worker import retry
from worker.failures import Verdict, classify, describe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
"""The longest that nobody looks: notifications are hints, and hints can be lost."""
SHORTEST_REST_SECONDS = 0.01
MUCH = 20
BETWEEN_LOOKS_SECONDS = 0.04
"""While that much is in hand, nothing is missed by looking so seldom."""
AFTER_A_BUG = timedelta(minutes=1)
GIVE_BACK_SECONDS = 5.0


class Workers:
    """All that a process has in hand of one queue, up to `room` requests."""

    def __init__(
        self,
        queue: Queue,
        steps: Steps,
        room: int,
        ahead: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        """`ahead` tells of quick practices' tenants how many requests are worth having in hand."""
        self._queue = queue
        self._steps = steps
        self._room = room
        self._ahead = ahead
        self._in_hand = 0
        self._failures = 0
        self._something_to_do = asyncio.Event()

    def wake(self) -> None:
        """There may be something to do."""
        self._something_to_do.set()

    async def run(self) -> None:
        """Work until cancelled; then what is in hand is given back."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._something_to_do.clear()
                look = await self._look()
                for claimed in look.claimed:
                    self._in_hand += 1
                    group.create_task(self._work(claimed))
                if not look.claimed:
                    await self._rest(look.pause)
                if self._in_hand >= MUCH:
                    await asyncio.sleep(BETWEEN_LOOKS_SECONDS)

    async def _look(self) -> Look:
        if self._in_hand >= self._room:
            return Look([])
        try:
            return await self._queue.claim(self._room - self._in_hand, self._worth_having())
        except Exception as error:
            if classify(error) is not Verdict.PASSING:
                raise
            log.warning("queue_out_of_reach", error=describe(error))
            return Look([], self._pause().total_seconds())

    def _worth_having(self) -> Mapping[str, int]:
        """Half of the room is for what nobody has looked ahead to: a quick practice may turn slow."""
        return self._ahead() if self._in_hand < self._room // 2 else {}

    async def _rest(self, pause: float | None) -> None:
        seconds = LOOK_SECONDS if pause is None else min(max(pause, SHORTEST_REST_SECONDS), LOOK_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._something_to_do.wait()

    async def _work(self, claimed: Claimed) -> None:
        pause, in_hand = timedelta(), True
        try:
            with metrics.IN_HAND.track_inprogress():
                async with self._keeping(claimed):
                    in_hand = not await self._steps.take(claimed)
            self._failures = 0
        except Exception as error:  # noqa: BLE001 - `_after` raises what is not for a request alone
            pause = self._after(error, claimed)
        finally:
            if in_hand:
                await self._give_back(claimed, pause)
            self._in_hand -= 1
            self.wake()

    def _after(self, error: Exception, claimed: Claimed) -> timedelta:
        """How long the request is left alone. Raises what no waiting can mend."""
        which = {"tenant_id": claimed.key[0], "import_id": claimed.key[1]}
        if isinstance(error, LeaseLost):
            metrics.LEASES_LOST.inc()
            log.warning("lease_lost", **which)
            return timedelta()
        match classify(error):
            case Verdict.FINAL:
                raise error
            case Verdict.PASSING:
                log.warning("import_held_up", error=describe(error), **which)
                return self._pause()
            case Verdict.BROKEN:
                metrics.BROKEN.inc()
                log.error("import_broke", exc_info=error, **which)
                return AFTER_A_BUG

    def _pause(self) -> timedelta:
        self._failures += 1
        return timedelta(seconds=retry.delay(self._failures, random.random()))  # noqa: S311 - not for secrets

    async def _give_back(self, claimed: Claimed, pause: timedelta) -> None:
        """Let others have it at once; where that fails, they have it when the lease runs out."""
        try:
            async with asyncio.timeout(GIVE_BACK_SECONDS):
                await self._queue.give_back(claimed, pause)
        except Exception as error:  # noqa: BLE001 - whatever it is, the lease ends it
            log.warning(
                "not_given_back", error=describe(error), tenant_id=claimed.key[0], import_id=claimed.key[1]
            )

    @asynccontextmanager
    async def _keeping(self, claimed: Claimed) -> "AsyncIterator[None]":
        """Extend the lease while the work goes on. Raises `LeaseLost` when it has run out."""
        lease = self._queue.rules.lease.total_seconds()
        try:
            async with asyncio.timeout_at(claimed.taken_at + lease) as until_lost:
                extending = asyncio.create_task(self._extend(claimed, until_lost))
                try:
                    yield
                finally:
                    extending.cancel()
        except TimeoutError:
            if until_lost.expired():
                raise LeaseLost from None
            raise

    async def _extend(self, claimed: Claimed, until_lost: asyncio.Timeout) -> None:
        """Extend the lease in good time; while the database is out of reach it runs on."""
        lease = self._queue.rules.lease.total_seconds()
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(lease / 3)
            asked_at = clock()
            try:
                await self._queue.extend(claimed)
                ends = asked_at + lease
            except LeaseLost:
                ends = asked_at
            except Exception as error:  # noqa: BLE001 - whatever it is, the lease says how long it may last
                log.warning("lease_not_extended", error=describe(error))
                continue
            if until_lost.expired():
                return
            until_lost.reschedule(ends)
