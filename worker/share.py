"""The share of the partitions that is this process's between two rebalances, and the work on it.

Everything in here may be thrown away at any moment: it is taken up again from the database.
"""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from worker.applying import Applying, Committed
from worker.batch import Batch, only
from worker.database import Database
from worker.intake import FEW, NOTHING, Intake
from worker.lag import Lag
from worker.outlet import Outlet
from worker.positions import Place

COMMIT_EVERY_SECONDS = 5.0
COMMIT_SECONDS = 5.0
LANES_SECONDS = 1.0
"""How long lanes go on by themselves: whatever else there is to do waits for them."""


class Share:
    """Partitions with their intake and outlet; `turn` is the assignment's when they were taken up.

    A batch of `divided_from` records or more tells of a backlog: then a transaction on each connection pays. The next
    one after one of few records begins `apart` seconds after that at the earliest.
    """

    def __init__(
        self,
        turn: int,
        kafka: AIOKafkaConsumer,
        partitions: Mapping[Place, TopicPartition],
        intake: Intake,
        applying: Applying,
        outlet: Outlet,
        lag: Lag,
        divided_from: int,
        apart: float,
    ) -> None:
        self.turn = turn
        self._kafka = kafka
        self._partitions = partitions
        self._intake = intake
        self._applying = applying
        self._outlet = outlet
        self._lag = lag
        self._divided_from = divided_from
        self._apart = apart
        self._to_tell_kafka: dict[TopicPartition, int] = {}
        self._told_at = time.monotonic()
        self._next_at = 0.0

    async def next(self) -> Batch:
        """The next records; an empty batch after a while without any."""
        early = self._next_at - time.monotonic()
        if early > 0:
            await asyncio.sleep(early)
        return await self._intake.next()

    async def work(self, databases: Sequence[Database], batch: Batch) -> None:
        """Apply a batch, and send its events on their way. The next one is read meanwhile, or afterwards if this one is
        small; and where it is full, what is to come after it is worked off on all connections at the same time.
        """
        few = len(batch.records) <= FEW
        if few:
            self._next_at = time.monotonic() + self._apart
        if len(databases) > 1 and len(batch.records) >= self._divided_from:
            await self._work_in_lanes(databases, batch)
        else:
            if not few:
                self._intake.read_ahead()
            await self._apply(databases[0], batch)
        self._lag.tell()
        if time.monotonic() - self._told_at > COMMIT_EVERY_SECONDS:
            await self._tell_kafka()

    async def rest(self, database: Database) -> bool:
        """What there is to do when nothing came. Returns whether nothing more is to come, as far as Kafka knows."""
        gaps = await self._intake.gaps()
        if gaps.spans:
            await self._apply(database, gaps)
        else:
            await self._applying.check(database)
        await self.tidy(database)
        self._lag.tell()
        return await self._intake.is_at_the_end()

    async def tidy(self, database: Database) -> None:
        """Wait for the events under way, note how far they are out, and tell Kafka for those who watch its offsets."""
        await self._outlet.note(database)
        await self._tell_kafka()

    async def drop(self) -> None:
        """Throw away what was read and is not applied, and leave off publishing."""
        await self._intake.drop()
        await self._outlet.drop()
        self._lag.end()

    async def _work_in_lanes(self, databases: Sequence[Database], batch: Batch) -> None:
        """Each lane has partitions of its own and goes on with them, until one of them finds less than a full batch.

        While Postgres works for one lane, this process works for another, and none waits for the other one's end.
        """
        over = _Over(time.monotonic() + LANES_SECONDS)
        ended = await asyncio.gather(
            *(
                self._work_in_lane(database, places, batch, over)
                for database, places in zip(databases, self._divided(len(databases)), strict=False)
            ),
            return_exceptions=True,
        )
        for each in ended:  # only now that no lane is at work any more
            if isinstance(each, BaseException):
                raise each

    def _divided(self, number: int) -> Sequence[Mapping[Place, TopicPartition]]:
        waiting = {where: self._intake.waiting_records(each) for where, each in self._partitions.items()}
        return [{where: self._partitions[where] for where in lane} for lane in divided(waiting, number)]

    async def _work_in_lane(
        self,
        database: Database,
        places: Mapping[Place, TopicPartition],
        whole: Batch,
        over: "_Over",
    ) -> None:
        batch = only(whole, places)
        ahead: asyncio.Task[Batch] | None = None
        try:
            while batch.spans or not over:
                ahead = None if over else asyncio.create_task(self._intake.of(places.values()))
                if batch.spans:
                    await self._apply(database, batch)
                batch = NOTHING if ahead is None else await ahead
                if len(batch.records) < self._divided_from:
                    over.now()
        finally:
            over.now()
            if ahead is not None:
                ahead.cancel()

    async def _apply(self, database: Database, batch: Batch) -> None:
        done = await self._applying.apply(database, batch, self._outlet.reached)
        await self._outlet.send(_together(done))
        self._to_tell_kafka |= {self._partitions[each]: end for each, end in batch.ends.items()}
        self._lag.note(batch)

    async def _tell_kafka(self) -> None:
        """Commit to Kafka, for tools that show lag. We never read it back, so a failure is of no account."""
        self._told_at = time.monotonic()
        if self._to_tell_kafka:
            with suppress(KafkaError, IllegalStateError, TimeoutError):
                async with asyncio.timeout(COMMIT_SECONDS):
                    await self._kafka.commit(self._to_tell_kafka)
            self._to_tell_kafka = {}


class _Over:
    """Whether lanes are to end, because of the time or of one of them."""

    def __init__(self, at: float) -> None:
        self._at = at

    def __bool__(self) -> bool:
        return time.monotonic() >= self._at

    def now(self) -> None:
        self._at = 0.0


def divided(waiting: Mapping[Place, int], number: int) -> Sequence[Collection[Place]]:
    """Divide partitions into at most so many lanes, so that in each about as many records wait."""
    lanes: list[list[Place]] = [[] for _ in range(min(number, len(waiting)))]
    waits = [0] * len(lanes)
    for where, records in sorted(waiting.items(), key=lambda each: -each[1]):
        shortest = waits.index(min(waits))
        lanes[shortest].append(where)
        waits[shortest] += records + 1
    return lanes


def _together(done: Sequence[Committed]) -> Committed:
    reached = {place: end for each in done for place, end in each.reached.items()}
    return Committed(reached, [event for each in done for event in each.outgoing])
