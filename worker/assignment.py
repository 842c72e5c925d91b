"""Which partitions this process owns, and the barrier that lets its running batch end before a rebalance goes on."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from aiokafka import TopicPartition
from aiokafka.abc import ConsumerRebalanceListener

from worker import metrics
from worker.failures import describe

log = structlog.get_logger(__name__)


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """Told by aiokafka, asked by the loop.

    `turn` grows whenever partitions come or go: what was read in an earlier turn must be thrown away. The loop holds
    `busy` while it works; aiokafka awaits the revocation while the heartbeat goes on, so that nobody else begins on
    these partitions before `let_go` has noted how far this process came.
    """

    def __init__(self, let_go: Callable[[], Awaitable[None]]) -> None:
        self._let_go = let_go
        self._change_to_come: asyncio.Future[None] | None = None
        self.turn = 0
        self.partitions: frozenset[TopicPartition] | None = None
        self.busy = asyncio.Lock()

    def change(self) -> asyncio.Future[None]:
        """Done when partitions come or go the next time, which by itself ends no waiting for records."""
        if self._change_to_come is None:
            self._change_to_come = asyncio.get_running_loop().create_future()
        return self._change_to_come

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        self._change(None)
        async with self.busy:
            try:
                await self._let_go()
            except Exception as error:  # noqa: BLE001 - whoever owns them next publishes again what was not noted
                log.warning("not_noted_before_rebalance", error=describe(error), partitions=len(revoked))

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._change(frozenset(assigned))
        metrics.REBALANCES.inc()
        log.info("assigned", partitions=sorted(f"{each.topic}[{each.partition}]" for each in assigned))

    def _change(self, partitions: frozenset[TopicPartition] | None) -> None:
        self.turn += 1
        self.partitions = partitions
        if self._change_to_come is not None:
            self._change_to_come.set_result(None)
            self._change_to_come = None
