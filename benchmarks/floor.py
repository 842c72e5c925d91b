"""The raw floor as a process: aiokafka and asyncpg, and nothing else between a record and its committed row.

It reads the journal from its end on, stores each record with the position it brings, in one statement each and one
transaction for what came together, and decides nothing.
"""

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

TABLES = """
CREATE TABLE IF NOT EXISTS floor_rows (
    tenant_id text, id text, value jsonb NOT NULL, PRIMARY KEY (tenant_id, id)
);
CREATE TABLE IF NOT EXISTS floor_positions (partition integer PRIMARY KEY, applied_to bigint NOT NULL);
"""
PUT = """
INSERT INTO floor_rows SELECT * FROM unnest($1::text[], $2::text[], $3::text[]::jsonb[])
ON CONFLICT (tenant_id, id) DO UPDATE SET value = excluded.value
"""
ADVANCE = """
INSERT INTO floor_positions SELECT * FROM unnest($1::integer[], $2::bigint[])
ON CONFLICT (partition) DO UPDATE SET applied_to = excluded.applied_to
"""
AT_ONCE = 1_000
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
    READY.touch()  # noqa: ASYNC240 - once
    working = asyncio.create_task(_work(consumer, database))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, working.cancel)
    await asyncio.wait([working])
    await consumer.stop()
    await database.close()


async def _work(consumer: AIOKafkaConsumer, database: Any) -> None:
    while True:
        found = await consumer.getmany(timeout_ms=POLL_MS, max_records=AT_ONCE)
        if found:
            await _store(database, found)


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
