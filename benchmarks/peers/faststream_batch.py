"""FastStream in batches: a list of models, one upsert over `unnest`, one transaction, one acknowledgement."""

import asyncio
import os
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson
from faststream import AckPolicy, ContextRepo, FastStream, StreamMessage
from faststream.kafka import KafkaBroker

from benchmarks.peers.model import JournalEvent, columns, newest, upsert_many

BATCH = 5_000

broker = KafkaBroker(os.environ["PEER_KAFKA"])
STATEMENT = upsert_many(os.environ["PEER_TABLE"])


@asynccontextmanager
async def lifespan(context: ContextRepo) -> Any:
    connection = await asyncpg.connect(os.environ["PEER_DSN"])
    context.set_global("connection", connection)
    yield
    await connection.close()


app = FastStream(broker, lifespan=lifespan)


async def decoded(message: StreamMessage[Any]) -> list[Any]:
    """By default only `application/json` is, and these are CloudEvents."""
    return [orjson.loads(body) for body in message.body]


@broker.subscriber(
    os.environ["PEER_TOPIC"],
    group_id=os.environ["PEER_GROUP"],
    auto_offset_reset="earliest",
    decoder=decoded,
    ack_policy=AckPolicy.NACK_ON_ERROR,
    batch=True,
    max_records=BATCH,
    batch_timeout_ms=50,
)
async def handle(events: list[JournalEvent]) -> None:
    connection: asyncpg.Connection[asyncpg.Record] = app.context.get("connection")
    rows = newest(event.row() for event in events)
    async with connection.transaction():
        await connection.execute(STATEMENT, *columns(rows))


if __name__ == "__main__":
    asyncio.run(app.run())
