"""The raw floor as a process: aiokafka and asyncpg, and nothing else between a record and its committed row.

It reads a topic from its end on, stores each record with the position it brings, in one statement each and one
transaction for what came together, and decides nothing. Where it is told a topic to forward to, it then publishes the
records as they are.
"""

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

TABLE = os.environ.get("PEER_TABLE", "floor")
TABLES = f"""
CREATE TABLE IF NOT EXISTS {TABLE}_rows (
    tenant_id text, id text, value jsonb NOT NULL, PRIMARY KEY (tenant_id, id)
);
CREATE TABLE IF NOT EXISTS {TABLE}_positions (partition integer PRIMARY KEY, applied_to bigint NOT NULL);
"""
PUT = f"""
INSERT INTO {TABLE}_rows SELECT * FROM unnest($1::text[], $2::text[], $3::text[]::jsonb[])
ON CONFLICT (tenant_id, id) DO UPDATE SET value = excluded.value
"""
ADVANCE = f"""
INSERT INTO {TABLE}_positions SELECT * FROM unnest($1::integer[], $2::bigint[])
ON CONFLICT (partition) DO UPDATE SET applied_to = excluded.applied_to
"""
AT_ONCE = 1_000
FORWARD = os.environ.get("PEER_FORWARD", "")
READY = Path(os.environ.get("PEER_RESULT", os.devnull))
POLL_MS = 200


async def main() -> None:
    """Run until asked to stop."""
    database = await asyncpg.connect(os.environ["PEER_DSN"])
    await database.execute(TABLES)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=os.environ["PEER_KAFKA"], enable_auto_commit=False, isolation_level="read_committed"
    )
    await consumer.start()
    topic = os.environ["PEER_TOPIC"]
    consumer.assign([TopicPartition(topic, number) for number in range(int(os.environ["PEER_PARTITIONS"]))])
    await consumer.seek_to_end()
    for each in consumer.assignment():
        await consumer.position(each)
    producer = await _producer() if FORWARD else None
    READY.touch()  # noqa: ASYNC240 - once
    working = asyncio.create_task(_work(consumer, database, producer))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, working.cancel)
    await asyncio.wait([working])
    if producer is not None:
        await producer.stop()
    await consumer.stop()
    await database.close()


async def _producer() -> AIOKafkaProducer:
    producer = AIOKafkaProducer(
        bootstrap_servers=os.environ["PEER_KAFKA"], enable_idempotence=True, acks="all"
    )
    await producer.start()
    return producer


async def _work(consumer: AIOKafkaConsumer, database: Any, producer: AIOKafkaProducer | None) -> None:
    while True:
        found = await consumer.getmany(timeout_ms=POLL_MS, max_records=AT_ONCE)
        if found:
            await _store(database, found)
            if producer is not None:
                await _forward(producer, [each for records in found.values() for each in records])


async def _forward(producer: AIOKafkaProducer, records: Sequence[Any]) -> None:
    await asyncio.gather(*[await producer.send(FORWARD, each.value, key=each.key) for each in records])


async def _store(database: Any, found: dict[TopicPartition, Sequence[Any]]) -> None:
    rows = sorted(
        (record.key.decode(), f"{record.partition}-{record.offset}", record.value.decode())
        for records in found.values()
        for record in records
    )
    ends = sorted((each.partition, records[-1].offset + 1) for each, records in found.items())
    async with database.transaction():
        await database.execute(PUT, *map(list, zip(*rows, strict=True)))
        await database.execute(ADVANCE, *map(list, zip(*ends, strict=True)))


if __name__ == "__main__":
    asyncio.run(main())
