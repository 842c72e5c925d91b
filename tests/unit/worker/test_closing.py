"""Stopping a consumer while its broker is away."""

import asyncio

import pytest

from worker.closing import stop


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
