"""How long one thing takes after another, one at a time: the raw floor, and a command's way to its row."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from benchmarks.place import Place
from schemas.codec import encode
from schemas.fields import timestamp
from schemas.people import AmendedClient
from schemas.portal import ClientAdded
from schemas.topics import JOURNAL

WARM_UP = 20
TENANT = "latency"


async def floor(place: Place, times: int) -> list[float]:
    """Seconds for a record of 400 bytes there and back through Kafka, and one row committed in Postgres."""
    where = TopicPartition(f"{place.settings.topic_prefix}floor", 0)
    await _make_topic(place, where.topic)
    database = await asyncpg.connect(place.dsn)
    await database.execute("CREATE TABLE floor (id integer PRIMARY KEY, value text)")
    consumer = AIOKafkaConsumer(bootstrap_servers=place.settings.kafka, isolation_level="read_committed")
    measured = []
    async with _producer(place) as producer:
        await consumer.start()
        consumer.assign([where])
        await consumer.seek_to_beginning()
        for number in range(times + WARM_UP):
            begun = time.perf_counter()
            await producer.send_and_wait(where.topic, b"x" * 400, partition=0)
            await consumer.getone()
            await database.execute("INSERT INTO floor VALUES ($1, $2)", number, "x" * 400)
            measured.append(time.perf_counter() - begun)
    await asyncio.gather(consumer.stop(), database.close())
    return measured[WARM_UP:]


async def to_the_row(place: Place, times: int, called: str = "row") -> list[float]:
    """Seconds from the begin of a command's publication until another connection sees its row, `called` so and new."""
    database = await asyncpg.connect(place.dsn)
    measured = []
    async with _producer(place) as producer:
        for number in range(times + WARM_UP):
            begun = time.perf_counter()
            await _add_client(place, producer, f"{called}-{number}")
            while not await database.fetchval(  # noqa: ASYNC110 - another process's commit sets no event
                "SELECT count(*) FROM resolver.clients WHERE tenant_id = $1 AND client_id = $2",
                TENANT,
                f"{called}-{number}",
            ):
                await asyncio.sleep(0.0005)
            measured.append(time.perf_counter() - begun)
    await database.close()
    return measured[WARM_UP:]


@asynccontextmanager
async def _producer(place: Place) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=place.settings.kafka, enable_idempotence=True, acks="all")
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def _add_client(place: Place, producer: AIOKafkaProducer, client_id: str) -> None:
    event = encode(
        ClientAdded(
            client_id=client_id, xpm_client_id=f"xpm-{client_id}", personal=AmendedClient(name=client_id)
        ),
        id=f"{place.settings.topic_prefix}{client_id}",
        source="/bench",
        time=timestamp(int(time.time() * 1000)),
        subject=f"clients/{client_id}",
        tenant_id=TENANT,
    )
    await producer.send_and_wait(place.settings.topic_name(JOURNAL), event, key=TENANT.encode())


async def _make_topic(place: Place, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=place.settings.kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()
