"""In which order committed events go out, and what is known of them when one could not."""

import asyncio
from collections.abc import Sequence

import pytest

from schemas.topics import OUTCOMES
from worker.applying import Committed
from worker.failures import NotPublished
from worker.outlet import Outlet
from worker.positions import Place, Position
from worker.records import Outgoing

HERE, THERE = ("journal", 0), ("journal", 1)


class Broker:
    """Acknowledges an event when it is told to, or never."""

    def __init__(self) -> None:
        self.begun: list[bytes] = []
        self.answers: dict[bytes, asyncio.Future[None]] = {}

    def answer(self, value: bytes) -> "asyncio.Future[None]":
        return self.answers.setdefault(value, asyncio.get_running_loop().create_future())

    async def publish(self, events: Sequence[Outgoing]) -> None:
        for event in events:
            self.begun.append(event.value)
            await self.answer(event.value)


def outlet(broker: Broker) -> Outlet:
    return Outlet(broker, None, {place: Position("c", 1, 10, 10) for place in (HERE, THERE)})


def committed(value: bytes, reached: int, place: Place) -> Committed:
    return Committed({place: reached}, [Outgoing(OUTCOMES, "t1", value)])


async def everything_that_can() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_an_event_waits_for_the_older_ones_of_its_partition() -> None:
    broker = Broker()
    out = outlet(broker)

    await out.send(committed(b"old", 11, HERE))
    sending = asyncio.create_task(out.send(committed(b"new", 12, HERE)))
    await everything_that_can()
    assert (broker.begun, sending.done(), out.reached[HERE]) == ([b"old"], False, 10)

    broker.answer(b"old").set_result(None)
    await everything_that_can()
    assert (broker.begun, sending.done(), out.reached[HERE]) == ([b"old", b"new"], True, 11)


async def test_events_of_other_partitions_do_not_wait() -> None:
    broker = Broker()
    out = outlet(broker)

    await out.send(committed(b"old", 11, HERE))
    await out.send(committed(b"other", 11, THERE))
    await everything_that_can()
    assert broker.begun == [b"old", b"other"]

    broker.answer(b"other").set_result(None)
    await everything_that_can()
    assert out.reached == {HERE: 10, THERE: 11}


@pytest.mark.parametrize("place", [HERE, THERE])
async def test_what_could_not_go_out_is_told_with_the_next_and_counts_as_not_out(place: Place) -> None:
    """Whatever partition the next one is of; and none of a partition goes out behind one that did not."""
    broker = Broker()
    out = outlet(broker)

    await out.send(committed(b"old", 11, HERE))
    await everything_that_can()
    broker.answer(b"old").set_exception(NotPublished("the broker is away"))
    await everything_that_can()

    with pytest.raises(NotPublished):
        await out.send(committed(b"new", 12, place))
    await everything_that_can()
    assert (broker.begun, out.reached) == ([b"old"], {HERE: 10, THERE: 10})
