"""Clients of Kafka whose start is cancelled, or whose broker is away while they stop."""

import asyncio

import pytest

from worker.clients import start, stop


class Client:
    """Notes whether its connections were closed."""

    closed = False

    async def close(self) -> None:
        self.closed = True


class Consumer:
    """Stops as aiokafka's does while a fetch pauses: with a cancellation that nobody has asked for."""

    def __init__(self) -> None:
        self._client = Client()

    async def stop(self) -> None:
        fetching = asyncio.create_task(asyncio.sleep(60))
        fetching.cancel()
        await fetching


class Slow(Consumer):
    """Takes its time."""

    async def stop(self) -> None:
        await asyncio.sleep(60)


async def test_a_cancellation_of_its_own_does_not_get_out() -> None:
    """The consumer is stopped to the end, and whoever stopped it goes on."""
    consumer = Consumer()
    await stop(consumer)

    assert consumer._client.closed


async def test_whoever_is_cancelled_while_stopping_is_cancelled() -> None:
    """A cancellation of the task itself is not swallowed."""
    stopping = asyncio.create_task(stop(Slow()))
    await asyncio.sleep(0)
    stopping.cancel()

    with pytest.raises(asyncio.CancelledError):
        await stopping


class Starting:
    """Opens its connection in its own time, and would forget it if it were cut off meanwhile."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.open = False

    async def start(self) -> None:
        await self.go_on.wait()
        self.open = True


async def test_a_start_that_is_cancelled_comes_to_its_end_before() -> None:
    """So that whoever stops the client closes all that it has opened."""
    client = Starting()
    starting = asyncio.create_task(start(client))
    await asyncio.sleep(0)
    starting.cancel()
    client.go_on.set()

    with pytest.raises(asyncio.CancelledError):
        await starting
    assert client.open


async def test_nobody_waits_long_for_a_start_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """As while a broker does not answer."""
    monkeypatch.setattr("worker.clients.START_SECONDS", 0.01)
    client = Starting()
    starting = asyncio.create_task(start(client))
    await asyncio.sleep(0)
    starting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not client.open
