"""What nobody can be faster than on a command's way: bare processes in place of the services."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from benchmarks.peers.running import START_SECONDS, variables
from benchmarks.place import Place
from schemas.topics import JOURNAL, OUTCOMES, PROGRESS
from stack.process import ServerProcess

FIRST = "floor"
SECOND = "floor_second"
POLL_MS = 200


@asynccontextmanager
async def floor(place: Place, name: str) -> AsyncIterator[Mapping[str, int]]:
    """One of them, which stores each command: its process."""
    async with _consumer(place, name, FIRST, place.settings.topic_name(JOURNAL)) as pid:
        yield {"floor": pid}


@asynccontextmanager
async def hops(place: Place, name: str, seen: dict[str, float]) -> AsyncIterator[Mapping[str, int]]:
    """Two in a row, and who reads what the second one tells: their processes. `seen` is when which command arrived."""
    prefix = f"{place.settings.topic_prefix}{name}"
    ways = [f"{prefix}.outcomes", f"{prefix}.progress"]
    counts = [place.settings.partitions(topic) for topic in (OUTCOMES, PROGRESS)]
    await _make(place, dict(zip(ways, counts, strict=True)))
    async with AsyncExitStack() as parts:
        journal = place.settings.topic_name(JOURNAL)
        first = await parts.enter_async_context(_consumer(place, f"{name}-1", FIRST, journal, ways[0]))
        second = await parts.enter_async_context(
            _consumer(place, f"{name}-2", SECOND, ways[0], ways[1], counts[0])
        )
        await parts.enter_async_context(_reading(place, ways[1], counts[1], seen))
        yield {"first consumer": first, "second consumer": second}


@asynccontextmanager
async def _consumer(
    place: Place, name: str, table: str, topic: str, forward: str = "", partitions: int | None = None
) -> AsyncIterator[int]:
    ready = place.folder / f"{place.settings.topic_prefix}{name}.ready"
    told = variables(place, table) | {
        "PEER_TOPIC": topic,
        "PEER_FORWARD": forward,
        "PEER_RESULT": str(ready),
        "PEER_PARTITIONS": str(partitions or place.settings.partitions(JOURNAL)),
    }
    process = ServerProcess(f"bench-{table}", place.folder, variables=told)
    await process.start(sys.executable, "-m", "benchmarks.floor")
    try:
        await process.until(ready.exists, START_SECONDS)
        yield process.pid
    finally:
        await process.stop()
        ready.unlink(missing_ok=True)


@asynccontextmanager
async def _reading(place: Place, topic: str, partitions: int, seen: dict[str, float]) -> AsyncIterator[None]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=place.settings.kafka, enable_auto_commit=False, isolation_level="read_committed"
    )
    await consumer.start()
    consumer.assign([TopicPartition(topic, number) for number in range(partitions)])
    await consumer.seek_to_beginning()
    reading = asyncio.create_task(_read(consumer, seen))
    try:
        yield
    finally:
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        await consumer.stop()


async def _read(consumer: AIOKafkaConsumer, seen: dict[str, float]) -> None:
    while True:
        found = await consumer.getmany(timeout_ms=POLL_MS)
        now = time.perf_counter()
        for records in found.values():
            for record in records:
                seen.setdefault(orjson.loads(record.value)["id"], now)


async def _make(place: Place, topics: Mapping[str, int]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=place.settings.kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, number, 1) for name, number in topics.items()])
    finally:
        await admin.close()
