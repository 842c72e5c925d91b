"""FastStream as its tutorial does it: one message, one call of a function, one transaction; acknowledged afterwards."""

import asyncio
import os
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson
from faststream import AckPolicy, ContextRepo, FastStream, StreamMessage
from faststream.kafka import KafkaBroker

from benchmarks.peers.model import JournalEvent, upsert_one

broker = KafkaBroker(os.environ["PEER_KAFKA"])
STATEMENT = upsert_one(os.environ["PEER_TABLE"])


@asynccontextmanager
async def lifespan(context: ContextRepo) -> Any:
    async with asyncpg.create_pool(os.environ["PEER_DSN"], min_size=1, max_size=4) as pool:
        context.set_global("pool", pool)
        yield


app = FastStream(broker, lifespan=lifespan)


async def decoded(message: StreamMessage[Any]) -> Any:
    """By default only `application/json` is, and these are CloudEvents."""
    return orjson.loads(message.body)


@broker.subscriber(
    os.environ["PEER_TOPIC"],
    group_id=os.environ["PEER_GROUP"],
    auto_offset_reset="earliest",
    decoder=decoded,
    ack_policy=AckPolicy.NACK_ON_ERROR,
)
async def handle(event: JournalEvent) -> None:
    pool: asyncpg.Pool[asyncpg.Record] = app.context.get("pool")
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(STATEMENT, *event.row())


if __name__ == "__main__":
    asyncio.run(app.run())
