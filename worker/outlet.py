"""Publishing behind the transactions: in their order, while the next one is under way."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from worker.applying import Committed
from worker.database import Database
from worker.positions import Place, Position, Positions
from worker.publisher import Publisher


class _UnderWay(NamedTuple):
    places: frozenset[Place]
    task: "asyncio.Task[None]"


class Outlet:
    """What was committed goes out here. `reached` is how far each partition's events are out, by the minute."""

    def __init__(self, publisher: Publisher, positions: Positions, starts: Mapping[Place, Position]) -> None:
        self._publisher = publisher
        self._positions = positions
        self.reached = {each: start.applied_to for each, start in starts.items()}
        self._noted = {each: start.published_to for each, start in starts.items()}
        self._under_way: list[_UnderWay] = []

    async def send(self, done: Committed) -> None:
        """Send what was committed on its way, after what went before in the same partitions.

        Raises `NotPublished` where that, or by now anything else, could not go out.
        """
        places = frozenset(done.reached)
        for each in list(self._under_way):
            if each.task.done() or each.places & places:
                await self._finish(each)
        self._under_way.append(_UnderWay(places, asyncio.create_task(self._publish(done))))

    async def finish(self) -> None:
        """Wait until nothing is under way. Raises `NotPublished`."""
        for each in list(self._under_way):
            await self._finish(each)

    async def note(self, database: Database) -> None:
        """Write down how far everything is out; a batch's own transaction does the same for what went before it."""
        await self.finish()
        behind = {each: to for each, to in self.reached.items() if self._noted[each] < to}
        if behind:
            await self._positions.mark_published(database, behind)
            self._noted.update(behind)

    async def drop(self) -> None:
        """Leave off; what was not acknowledged is published again from the database."""
        for each in self._under_way:
            each.task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await each.task

    async def _finish(self, each: "_UnderWay") -> None:
        await asyncio.shield(each.task)
        if each in self._under_way:
            self._under_way.remove(each)

    async def _publish(self, done: Committed) -> None:
        await self._publisher.publish(done.outgoing)
        self.reached.update(done.reached)
