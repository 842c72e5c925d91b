"""Publishing behind the transactions: in their order, while the next one is under way."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from worker.applying import Committed
from worker.database import Database
from worker.positions import Place, Position, Positions
from worker.publisher import Publisher


class Outlet:
    """What was committed goes out here. `reached` is how far each partition's events are out, by the minute."""

    def __init__(self, publisher: Publisher, positions: Positions, starts: Mapping[Place, Position]) -> None:
        self._publisher = publisher
        self._positions = positions
        self.reached = {each: start.applied_to for each, start in starts.items()}
        self._noted = {each: start.published_to for each, start in starts.items()}
        self._under_way: asyncio.Task[None] | None = None

    async def send(self, done: Committed) -> None:
        """Send what was committed on its way, after what went before. Raises what went wrong with that."""
        await self.finish()
        self._under_way = asyncio.create_task(self._publish(done))

    async def finish(self) -> None:
        """Wait until nothing is under way. Raises `NotPublished`."""
        if self._under_way is not None:
            await asyncio.shield(self._under_way)
            self._under_way = None

    async def note(self, database: Database) -> None:
        """Write down how far everything is out; a batch's own transaction does the same for what went before it."""
        await self.finish()
        behind = {each: to for each, to in self.reached.items() if self._noted[each] < to}
        if behind:
            await self._positions.mark_published(database, behind)
            self._noted.update(behind)

    async def drop(self) -> None:
        """Leave off; what was not acknowledged is published again from the database."""
        if self._under_way is not None:
            self._under_way.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._under_way

    async def _publish(self, done: Committed) -> None:
        await self._publisher.publish(done.outgoing)
        self.reached.update(done.reached)
