"""What goes into one batch, from a consumer that fetches as aiokafka does: not while something lies there."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord

from schemas.topics import REQUESTS
from worker.intake import Intake
from worker.reading import Reader
from worker.redrive import GROUP
from worker.settings import Settings

PLACE = TopicPartition(REQUESTS.name, 0)


class Broker:
    """Hands out these fetches one after the other: each is there at once, or comes while it is waited for.

    Records at the offsets `of_others` are copies for another group.
    """

    def __init__(self, *fetches: tuple[str, int], of_others: Sequence[int] = ()) -> None:
        self.fetches = list(fetches)
        self.of_others = of_others
        self.waits: list[int] = []
        self.offset = 0

    def seek(self, place: TopicPartition, offset: int) -> None:
        pass

    async def getmany(
        self, *_: TopicPartition, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, Sequence[Any]]:
        self.waits.append(timeout_ms)
        if not self.fetches or (self.fetches[0][0] == "comes" and not timeout_ms):
            return {}
        _, number = self.fetches.pop(0)
        self.offset += number
        return {PLACE: [self._record(offset) for offset in range(self.offset - number, self.offset)]}

    def _record(self, offset: int) -> "ConsumerRecord[bytes, bytes]":
        headers = ((GROUP, b"notifier"),) if offset in self.of_others else ()
        return ConsumerRecord(PLACE.topic, PLACE.partition, offset, 0, 0, None, b"", None, 0, 0, headers)


def intake(broker: Broker, change: "asyncio.Future[None] | None" = None) -> Intake:
    """Reads until partitions come or go."""
    change = change or asyncio.get_running_loop().create_future()
    reader = Reader("resolver", {REQUESTS.name: REQUESTS}, {REQUESTS.name: 1})
    return Intake(
        Settings(), broker, {PLACE: (REQUESTS, 0)}, reader, lambda: not change.done(), lambda: change
    )


@pytest.mark.parametrize(
    ("fetches", "batches", "waits"),
    [
        pytest.param(
            [("there", 1), ("comes", 3), ("comes", 1)],
            [4, 1],
            [0, 8, 0, 200, 0],
            id="what lay there waits for what came in behind it",
        ),
        pytest.param(
            [("comes", 1), ("comes", 1)], [1, 1], [0, 200, 0, 0, 200, 0], id="who comes alone goes at once"
        ),
        pytest.param(
            [("comes", 1), ("there", 2)], [3], [0, 200, 0], id="what is there by then goes along in any case"
        ),
        pytest.param([("there", 1_000), ("there", 5)], [1_000], [0], id="a full batch waits for nobody"),
    ],
)
async def test_a_batch_takes_along_what_has_come_in(
    fetches: list[tuple[str, int]], batches: list[int], waits: list[int]
) -> None:
    """One that lay there kept all behind it at the broker."""
    broker = Broker(*fetches)
    reading = intake(broker)

    assert [len((await reading.next(company=0.008)).records) for _ in batches] == batches
    assert broker.waits == waits


async def test_batches_follow_each_other_without_a_gap() -> None:
    """Each span begins where the one before it ended, whatever came together."""
    reading = intake(Broker(("there", 2), ("comes", 3), ("comes", 1)))

    spans = [(span.since, span.until) for _ in range(2) for span in (await reading.next(company=0.008)).spans]

    assert spans == [(0, 5), (5, 6)]


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
