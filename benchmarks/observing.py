"""Commands at a steady rate, and when each of them was committed and seen by a dashboard.

Open loop: a command counts from the moment at which it was to be sent, whether or not the sender was late.
"""

import asyncio
import re
import time
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from aiokafka import AIOKafkaProducer

from benchmarks.place import Place
from schemas.codec import encode
from schemas.envelope import CONTENT_TYPE
from schemas.fields import timestamp
from schemas.people import AmendedClient
from schemas.portal import ClientAdded
from schemas.topics import JOURNAL
from worker.tokens import DEMO_KEY, NOTIFIER, Tokens

TENANTS = tuple(f"latency-{number}" for number in range(20))
WATCH = """
CREATE FUNCTION pg_temp.moved(known bigint[]) RETURNS TABLE (partition integer, applied_to bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    LOOP
        RETURN QUERY {moved};
        EXIT WHEN FOUND;
        PERFORM pg_sleep(0.001);
    END LOOP;
END
$$;
"""
"""Looks once a millisecond, within the server: round trips that see nothing would be measured with the rest."""
JOIN_SECONDS = 60.0
SETTLE_SECONDS = 30.0
ROW = re.compile(rb'event: progress\ndata: \{"row_id":"([^"]+)"')
SNAPSHOT_ENDS = b"data: ]}\n\n"


@dataclass
class Sent:
    """What was sent: when each command was to be, and where it is."""

    due: dict[str, float] = field(default_factory=dict)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)


class Commits:
    """When the position of each partition was seen to move: in the transaction that stores the rows."""

    def __init__(self, database: Any, statement: str) -> None:
        """`statement` tells the positions that are beyond `known`, by partition."""
        self._database = database
        self._statement = statement
        self._moves: dict[int, tuple[list[int], list[float]]] = {}

    async def look(self) -> None:
        """Note every move until cancelled."""
        await self._database.execute(WATCH.replace("{moved}", self._statement))
        known: list[int] = []
        while True:
            moved = await self._database.fetch("SELECT * FROM pg_temp.moved($1)", known)
            now = time.perf_counter()
            for partition, applied_to in moved:
                known.extend([-1] * (partition + 1 - len(known)))
                known[partition] = applied_to
                ends, times = self._moves.setdefault(partition, ([], []))
                ends.append(applied_to)
                times.append(now)

    def at(self, partition: int, offset: int) -> float | None:
        """When the record was first seen to be in."""
        ends, times = self._moves.get(partition, ([], []))
        first = bisect_right(ends, offset)
        return times[first] if first < len(ends) else None


class Dashboard(asyncio.Protocol):
    """One subscriber of one tenant's stream, and when it saw which row."""

    def __init__(self, head: bytes, seen: dict[str, float]) -> None:
        self._head = head
        self._seen = seen
        self._rest = b""
        self.joined = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._head)

    def data_received(self, data: bytes) -> None:
        """Note what came in whole."""
        now = time.perf_counter()
        text = self._rest + data
        self.joined = self.joined or SNAPSHOT_ENDS in text
        end = text.rfind(b"\n\n") + 2 if b"\n\n" in text else 0
        for match in ROW.finditer(text, 0, end):
            self._seen.setdefault(match[1].decode(), now)
        self._rest = text[end:]


@asynccontextmanager
async def dashboards(notifier: str, seen: dict[str, float]) -> AsyncIterator[None]:
    """One for each tenant, each of which has had its snapshot."""
    address = urlsplit(notifier)
    tokens = Tokens(DEMO_KEY)
    loop = asyncio.get_running_loop()
    opened = []
    for tenant in TENANTS:
        head = (
            f"GET /tenants/{tenant}/progress/stream HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Authorization: Bearer {tokens.make(tenant, NOTIFIER, 3600)}\r\n\r\n"
        )
        board = Dashboard(head.encode(), seen)
        transport, _ = await loop.create_connection(lambda it=board: it, address.hostname, address.port)
        opened.append((board, transport))
    try:
        await until(
            lambda: all(board.joined for board, _ in opened), JOIN_SECONDS, "the dashboards' snapshots"
        )
        yield
    finally:
        for _, transport in opened:
            transport.close()


async def send(place: Place, sent: Sent, name: str, rate: int, seconds: float) -> None:
    """Commands that add clients, of one tenant after another, at this rate; return when all are acknowledged."""
    topic = place.settings.topic_name(JOURNAL)
    headers = [("content-type", CONTENT_TYPE.encode())]
    async with AIOKafkaProducer(
        bootstrap_servers=place.settings.kafka, enable_idempotence=True, acks="all"
    ) as producer:
        began = time.perf_counter() + 0.1
        under_way = []
        for number in range(int(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tenant, command = TENANTS[number % len(TENANTS)], f"{name}-{number}"
            sent.due[command] = due
            on_its_way = await producer.send(
                topic, _command(tenant, command), key=tenant.encode(), headers=headers
            )
            under_way.append((command, on_its_way))
        for command, on_its_way in under_way:
            landed = await on_its_way
            sent.places[command] = (landed.partition, landed.offset)


def _command(tenant: str, command: str) -> bytes:
    return encode(
        ClientAdded(
            client_id=command,
            xpm_client_id=f"xpm-{command}",
            personal=AmendedClient(name=f"Client {command}"),
        ),
        id=command,
        source="/bench",
        time=timestamp(int(time.time() * 1000)),
        subject=f"clients/{command}",
        tenant_id=tenant,
    )


async def until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for something that sets no event. Raises `TimeoutError` with what it was."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come within {seconds:g} s")
        await asyncio.sleep(0.01)


def waits(sent: Sent, moments: Callable[[str], float | None]) -> Sequence[float]:
    """Seconds from when each command was to be sent. Raises `LookupError` where one never got there."""
    found = [(command, moments(command)) for command in sent.due]
    missing = [command for command, moment in found if moment is None]
    if missing:
        raise LookupError(f"{len(missing)} of {len(found)} commands were never seen, {missing[0]} among them")
    return [moment - sent.due[command] for command, moment in found if moment is not None]
