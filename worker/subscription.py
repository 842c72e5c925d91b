"""The subscription of a group, declared to FastStream and driven by our own loop.

FastStream knows two ways to consume. Given a handler it runs a loop of its own, whose errors are swallowed, whose empty
polls sleep, and whose acknowledgements follow Kafka's positions; without one it declares the subscription and leaves
the reading to the caller. Positions here live in Postgres, so this is the second way.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import InvalidSessionTimeoutError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from schemas.topics import Topic
from worker import clients
from worker.failures import CannotLeave, Stop
from worker.oddity import make_readable
from worker.settings import Settings

HEARTBEATS_PER_SESSION = 5
REBALANCE_MS = 60_000
"""How long a running batch may hold up a rebalance."""
LEAVE_SECONDS = 3.0
LONGEST_PAUSE_MS = 600_000
"""Without a poll for so long the process leaves the group; waiting for a database that is gone counts as one."""


@asynccontextmanager
async def subscribed(
    settings: Settings, group: str, topics: Sequence[Topic], listener: ConsumerRebalanceListener
) -> AsyncIterator[AIOKafkaConsumer]:
    """Join the group and leave it at the end. Nothing is committed and no topic is made behind our back.

    Raises `CannotLeave`.
    """
    make_readable()
    session_ms = int(settings.session_seconds * 1000)
    broker = KafkaBroker(
        settings.kafka.split(","),
        client_id=f"muster-{group}",
        consumer_only=True,
        allow_auto_create_topics=False,
        logger=None,
    )
    subscriber = broker.subscriber(
        *(settings.topic_name(topic) for topic in topics),
        batch=True,
        ack_policy=AckPolicy.MANUAL,
        group_id=settings.group_name(group),
        listener=listener,
        isolation_level="read_committed",
        auto_offset_reset="none",  # the database says where to begin; a position that is not in the log is an error
        partition_assignment_strategy=[RoundRobinPartitionAssignor],  # two of them would join twice
        session_timeout_ms=session_ms,
        heartbeat_interval_ms=session_ms // HEARTBEATS_PER_SESSION,
        rebalance_timeout_ms=REBALANCE_MS,
        max_poll_interval_ms=LONGEST_PAUSE_MS,
    )
    try:
        await _start(broker, settings)
        yield subscriber.consumer
    finally:
        await _leave(broker, subscriber.consumer)


async def _start(broker: KafkaBroker, settings: Settings) -> None:
    try:
        await clients.start(broker)
    except InvalidSessionTimeoutError:
        raise Stop(
            f"The brokers do not allow MUSTER_SESSION_SECONDS to be {settings.session_seconds:g}: see their "
            "group.min.session.timeout.ms and group.max.session.timeout.ms."
        ) from None


async def _leave(broker: KafkaBroker, consumer: AIOKafkaConsumer | None) -> None:
    """Leave the group. A consumer that waits to be let in may not stop: it is given up, and with it the process."""
    leaving = asyncio.create_task(_stop(broker, consumer))
    done, _ = await asyncio.wait({leaving}, timeout=LEAVE_SECONDS)
    if not done:
        leaving.cancel()
        raise CannotLeave
    leaving.result()


async def _stop(broker: KafkaBroker, consumer: AIOKafkaConsumer | None) -> None:
    if consumer is not None:
        await clients.stop(consumer)
    await broker.stop()
