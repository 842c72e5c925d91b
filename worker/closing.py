"""Stopping a consumer to the end, also while its broker is away.

aiokafka cancels what it has under way and waits for it. A fetch that pauses because the broker did not answer hands
that cancellation on to whoever stops the consumer (`Fetcher.close`): half of it is left undone, and the task that asked
for it looks as if it had been cancelled itself.
"""

import asyncio

from aiokafka import AIOKafkaConsumer


async def stop(consumer: AIOKafkaConsumer) -> None:
    """Stop it. Raises `CancelledError` only where this very task is cancelled."""
    try:
        await consumer.stop()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        await consumer._client.close()  # noqa: SLF001 - what was left undone; a second `stop` does nothing
