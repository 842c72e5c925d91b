"""What goes into one batch, and when the next records are fetched."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError
from aiokafka.structs import ConsumerRecord

from schemas.topics import REQUESTS
from worker.intake import Intake
from worker.reading import Reader
from worker.redrive import GROUP
from worker.settings import Settings

PLACE = TopicPartition(REQUESTS.name, 0)


class Broker:
    """Hands out these fetches one after the other: each is there at once, or comes while it is waited for.

    Records at the offsets `of_others` are copies for another group. `seen` is what it was asked for: to read with a
    timeout, to hold, to go on.
    """

    def __init__(self, *fetches: tuple[str, int], of_others: Sequence[int] = ()) -> None:
        self.fetches = list(fetches)
        self.of_others = of_others
        self.seen: list[int | str] = []
        self.is_held = False
        self.offset = 0

    def seek(self, place: TopicPartition, offset: int) -> None:
        pass

    def pause(self, *places: TopicPartition) -> None:
        assert places == (PLACE,)
        self.is_held = True
        self.seen.append("hold")

    def resume(self, *places: TopicPartition) -> None:
        assert places == (PLACE,)
        self.is_held = False
        self.seen.append("go on")

    async def getmany(
        self, *_: TopicPartition, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, Sequence[Any]]:
        assert not self.is_held, "aiokafka throws away what it has fetched of a partition that is held"
        self.seen.append(timeout_ms)
        if not self.fetches or (self.fetches[0][0] == "comes" and not timeout_ms):
            return {}
        _, number = self.fetches.pop(0)
        self.offset += number
        return {PLACE: [self._record(offset) for offset in range(self.offset - number, self.offset)]}

    def _record(self, offset: int) -> "ConsumerRecord[bytes, bytes]":
        headers = ((GROUP, b"notifier"),) if offset in self.of_others else ()
        return ConsumerRecord(PLACE.topic, PLACE.partition, offset, 0, 0, None, b"", None, 0, 0, headers)


class TakenAway(Broker):
    """Whose partitions are being given to somebody else."""

    def pause(self, *_: TopicPartition) -> None:
        raise IllegalStateError("not assigned")

    def resume(self, *_: TopicPartition) -> None:
        if self.seen:
            raise IllegalStateError("not assigned")


def intake(broker: Broker, change: "asyncio.Future[None] | None" = None, **settings: int) -> Intake:
    """Reads until partitions come or go."""
    change = change or asyncio.get_running_loop().create_future()
    reader = Reader("resolver", {REQUESTS.name: REQUESTS}, {REQUESTS.name: 1})
    made = Intake(
        Settings(**settings),
        broker,
        {PLACE: (REQUESTS, 0)},
        reader,
        lambda: not change.done(),
        lambda: change,
    )
    broker.seen.clear()
    return made


@pytest.mark.parametrize(
    ("fetches", "batches", "seen"),
    [
        pytest.param(
            [("comes", 1), ("there", 3), ("comes", 1)],
            [1, 3, 1],
            [200, "hold", "go on", 200, "hold", "go on", 200, "hold"],
            id="after few records nothing is fetched until more are wanted",
        ),
        pytest.param(
            [("comes", 200), ("there", 2)], [202], [200, 0], id="many take along what is there by then"
        ),
        pytest.param(
            [("there", 1_000), ("there", 5)],
            [1_000, 5],
            [200, 200, "hold"],
            id="a full batch waits for nobody",
        ),
    ],
)
async def test_what_is_fetched_when(
    fetches: list[tuple[str, int]], batches: list[int], seen: list[int | str]
) -> None:
    """A fetch costs as much as a batch of few records, so there is one for each; who comes alone goes at once."""
    broker = Broker(*fetches)
    reading = intake(broker)

    assert [len((await reading.next()).records) for _ in batches] == batches
    assert broker.seen == seen


async def test_an_intake_that_begins_anew_reads_what_the_last_one_held() -> None:
    """The partitions may be the same, and nobody else would let go of them."""
    broker = Broker(("comes", 1), ("comes", 1))
    await intake(broker).next()
    assert broker.is_held

    assert len((await intake(broker).next()).records) == 1


async def test_lanes_never_read_what_is_held() -> None:
    """A batch that is full is never few, however small batches are to be."""
    broker = Broker(("there", 20), ("there", 20))
    reading = intake(broker, batch_records=20)

    assert len((await reading.next()).records) == 20
    assert len((await reading.of([PLACE])).records) == 20


async def test_partitions_that_are_taken_away_need_not_be_held() -> None:
    """aiokafka knows of it before anybody is told."""
    broker = TakenAway(("comes", 1), ("comes", 1))
    reading = intake(broker)

    assert [len((await reading.next()).records) for _ in range(2)] == [1, 1]


async def test_batches_follow_each_other_without_a_gap() -> None:
    """Each span begins where the one before it ended, whatever came together."""
    reading = intake(Broker(("there", 200), ("there", 3), ("comes", 1)))

    spans = [(span.since, span.until) for _ in range(2) for span in (await reading.next()).spans]

    assert spans == [(0, 203), (203, 204)]


@pytest.mark.parametrize("first", ["there", "comes"])
async def test_copies_for_another_group_are_stepped_over(first: str) -> None:
    """A batch covers them without a record, or the next one would begin ahead of the position."""
    reading = intake(Broker((first, 2), ("comes", 1), of_others=(0, 1)))

    batches = [await reading.next() for _ in range(2)]

    assert [(span.since, span.until) for batch in batches for span in batch.spans] == [(0, 2), (2, 3)]
    assert [len(batch.records) for batch in batches] == [0, 1]


class Rebalancing(Broker):
    """Answers nobody before all have their new partitions, as aiokafka does."""

    async def getmany(self, *_: TopicPartition, timeout_ms: int, max_records: int):
        await asyncio.Event().wait()


@pytest.mark.parametrize("when", ["before", "meanwhile"])
async def test_a_lane_reads_nothing_where_partitions_come_or_go(when: str) -> None:
    """They don't before it has ended: who waited for the answer would wait for ever."""
    change = asyncio.get_running_loop().create_future()
    reading = intake(Rebalancing(), change)
    if when == "before":
        change.set_result(None)

    waiting = asyncio.create_task(reading.of([PLACE]))
    await asyncio.sleep(0)
    if when == "meanwhile":
        change.set_result(None)

    assert not (await asyncio.wait_for(waiting, 5)).spans
