"""Starting and stopping aiokafka's clients to the end, also where that is cancelled, or their broker is away.

aiokafka cancels what it has under way and waits for it. A fetch that pauses because the broker did not answer hands
that cancellation on to whoever stops the consumer (`Fetcher.close`): half of it is left undone, and the task that asked
for it looks as if it had been cancelled itself. And a start that is cancelled while it asks for the first metadata
(`AIOKafkaClient.bootstrap`) forgets the connection that it has opened.
"""

import asyncio
from collections.abc import Awaitable
from typing import Protocol

from aiokafka import AIOKafkaConsumer

START_SECONDS = 2.0
"""How long a start goes on for that nobody waits for any more; a broker that is there answers within milliseconds."""


class Client(Protocol):
    """Whatever has connections to Kafka."""

    def start(self) -> Awaitable[None]: ...


async def start(client: Client) -> None:
    """Start it. Where this task is cancelled, that is once the start has ended, so that `stop` finds all there is."""
    starting = asyncio.ensure_future(client.start())
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait({starting}, timeout=START_SECONDS)
        starting.cancel()
        await asyncio.wait({starting})
        if not starting.cancelled():
            starting.exception()  # it is nobody's any more
        raise


async def stop(consumer: AIOKafkaConsumer) -> None:
    """Stop it. Raises `CancelledError` only where this very task is cancelled."""
    try:
        await consumer.stop()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        await consumer._client.close()  # noqa: SLF001 - what was left undone; a second `stop` does nothing
