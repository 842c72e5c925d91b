"""Whether a Kafka or a Postgres answers at an address, whoever runs it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from urllib.parse import SplitResult, urlsplit

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from stack.errors import ServerFailed
from stack.settings import Addresses


async def listens(host: str | None, port: int | None) -> bool:
    """Whether somebody accepts connections there."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 5)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def both_listen(addresses: Addresses) -> bool:
    kafka, postgres = first_server(addresses.kafka), urlsplit(addresses.postgres)
    return await listens(kafka.hostname, kafka.port) and await listens(postgres.hostname, postgres.port)


def first_server(address: str) -> SplitResult:
    return urlsplit(f"//{address.split(',', maxsplit=1)[0]}")


async def kafka_answers(address: str) -> bool:
    first = first_server(address)
    if not await listens(first.hostname, first.port):  # the client would complain loudly
        return False
    client = AIOKafkaAdminClient(bootstrap_servers=address, request_timeout_ms=5000)
    try:
        await client.start()
        return bool((await client.describe_cluster())["brokers"])
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await client.close()


async def postgres_answers(dsn: str) -> bool:
    try:
        connection = await asyncpg.connect(dsn, timeout=5)
    except (asyncpg.PostgresError, OSError, TimeoutError):
        return False
    await connection.close()
    return True


async def until(answers: Callable[[str], Awaitable[bool]], address: str, what: str, limit: float) -> None:
    """Ask until there is an answer. Raises ServerFailed after `limit` seconds, naming `what` was asked."""
    deadline = time.monotonic() + limit
    while not await answers(address):
        if time.monotonic() > deadline:
            raise ServerFailed(f"{what} did not answer within {limit:g} s.")
        await asyncio.sleep(0.2)
