"""A crowd of subscribers of server-sent events, and how long each event took to each of them."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiokafka import AIOKafkaProducer

from schemas.codec import encode
from schemas.fields import timestamp
from schemas.imports import ImportRequested
from schemas.topics import REQUESTS
from worker.settings import Settings
from worker.tokens import NOTIFIER, Tokens

ROW = re.compile(rb'event: progress\ndata: \{"row_id":"event-(\d+)"')
SNAPSHOT_ENDS = b"data: ]}\n\n"
"""What happened until then may be told by the snapshot rather than by an event of its own."""
JOIN_SECONDS = 180
"""How long everybody together may take to have their snapshot, which is not what is measured."""
AT_ONCE = 50
"""Connections that are opened at the same time."""


@dataclass
class Crowd:
    """When each event was sent, and how many seconds it took to whoever received it."""

    tenants: Sequence[str]
    sent: dict[int, float] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    listening: int = 0
    lost: int = 0

    def percentile(self, share: float) -> float:
        """The time within which so large a share of all deliveries was made."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Subscriber(asyncio.Protocol):
    """One connection that reads everything at once; `deaf` ones read nothing at all after the first bytes."""

    def __init__(self, crowd: Crowd, head: bytes, *, deaf: bool) -> None:
        self._crowd = crowd
        self._head = head
        self._deaf = deaf
        self._rest = b""
        self._heard = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._head)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        text = self._rest + data
        if not self._heard and SNAPSHOT_ENDS in text:
            self._heard = True
            self._crowd.listening += 1
            if self._deaf:
                self._transport.pause_reading()
        end = text.rfind(b"\n\n") + 2 if b"\n\n" in text else 0
        for match in ROW.finditer(text, 0, end):
            self._crowd.seconds.append(now - self._crowd.sent[int(match[1])])
        self._rest = text[end:]

    def connection_lost(self, _: Exception | None) -> None:
        self._crowd.lost += not self._deaf


@asynccontextmanager
async def listening(
    crowd: Crowd, notifier: str, tokens: Tokens, each: int, *, deaf: bool = False
) -> AsyncIterator[None]:
    """So many subscribers of each tenant, all of whom have had their snapshot."""
    address = urlsplit(notifier)
    turns = asyncio.Semaphore(AT_ONCE)
    wanted = crowd.listening + each * len(crowd.tenants)

    async def subscribe(tenant: str) -> asyncio.BaseTransport:
        head = (
            f"GET /tenants/{tenant}/progress/stream HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Authorization: Bearer {tokens.make(tenant, NOTIFIER, 3600)}\r\n\r\n"
        )
        async with turns:
            transport, _ = await asyncio.get_running_loop().create_connection(
                lambda: Subscriber(crowd, head.encode(), deaf=deaf), address.hostname, address.port
            )
            return transport

    transports = await asyncio.gather(*(subscribe(tenant) for tenant in crowd.tenants for _ in range(each)))
    try:
        async with asyncio.timeout(JOIN_SECONDS):
            while crowd.listening < wanted:  # noqa: ASYNC110 - two thousand of them set no event
                await asyncio.sleep(0.05)
        yield
    finally:
        for transport in transports:
            transport.close()


async def send(crowd: Crowd, settings: Settings, events: int, per_second: float) -> None:
    """Ask for imports, of one tenant after another, at a steady rate; return when all are sent."""
    async with AIOKafkaProducer(
        bootstrap_servers=settings.kafka, enable_idempotence=True, acks="all"
    ) as producer:
        began = time.perf_counter()
        first = len(crowd.sent)
        for number in range(first, first + events):
            await asyncio.sleep(max(0.0, began + (number - first) / per_second - time.perf_counter()))
            tenant = crowd.tenants[number % len(crowd.tenants)]
            crowd.sent[number] = time.perf_counter()
            await producer.send(settings.topic_name(REQUESTS), _request(tenant, number), key=tenant.encode())
        await producer.flush()


def _request(tenant: str, number: int) -> bytes:
    return encode(
        ImportRequested(client_id=f"client-{number}", requested_by="Crowd"),
        id=f"event-{number}",
        source="/bench",
        time=timestamp(int(time.time() * 1000)),
        subject=f"clients/client-{number}",
        tenant_id=tenant,
    )
