"""What no importer in Python can be faster than by list: the same lists read, the same events stored and published.

No queue, no mirror, no lease and no import of its own: 5,000 events to a transaction and a publication.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import asyncpg
import httpx

from benchmarks.place import Place
from schemas.topics import JOURNAL
from services.importer.domain import Party, Request, staged, started
from services.importer.xpm.reader import ClientReader
from services.importer.xpm.records import Client
from worker.publisher import Publisher
from worker.records import Outgoing

AT_ONCE = 5_000
TENANT = "ceiling"


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Seconds until the answers were read, until the events were made, and until they were stored and published."""

    reading: float
    making: float
    storing: float

    @property
    def altogether(self) -> float:
        return self.reading + self.making + self.storing


async def measure_ceiling(
    place: Place, http: httpx.AsyncClient, calls: Sequence[str], clients: Sequence[str]
) -> Ceiling:
    """Make the calls one after the other, and bring in these clients from what they answer."""
    database = await asyncpg.connect(place.dsn)
    publisher = Publisher(place.settings, "bench")
    await database.execute(_TABLE)
    await publisher.publish(
        [Outgoing(JOURNAL, TENANT, b"{}")]
    )  # whoever measures rates has a producer by then
    times = [time.perf_counter()]
    read: dict[str, Client] = {}
    for call in calls:
        for client in await _read(http, call):
            if client.xpm_client_id not in read or client.relationships:
                read[client.xpm_client_id] = client
    times.append(time.perf_counter())
    events = _events([read[each] for each in clients], read)
    times.append(time.perf_counter())
    for since in range(0, len(events), AT_ONCE):
        some = events[since : since + AT_ONCE]
        await database.execute(_STORE, list(range(since, since + len(some))), some)
        await publisher.publish([Outgoing(JOURNAL, TENANT, event) for event in some])
    times.append(time.perf_counter())
    await database.execute("DROP TABLE public.ceiling")
    await publisher.close()
    await database.close()
    return Ceiling(*(after - before for before, after in pairwise(times)))


async def _read(http: httpx.AsyncClient, call: str) -> list[Client]:
    reader, found = ClientReader(), list[Client]()
    async with http.stream("GET", call) as answer:
        async for piece in answer.aiter_bytes():
            found.extend(reader.feed(piece))
    return [*found, *reader.close()]


def _events(clients: Sequence[Client], read: dict[str, Client]) -> list[bytes]:
    now = datetime.now(UTC)
    parties = {party_id: Party(record, now) for party_id, record in read.items()}
    events: list[bytes] = []
    for client in clients:
        whose = client.xpm_client_id
        request = Request(TENANT, whose, whose, whose, "Benchmark", None, int(now.timestamp() * 1000))
        events += [started(request), *staged(request, client, parties, now.date())]
    return events


_TABLE = "CREATE TABLE public.ceiling (ordinal integer PRIMARY KEY, event bytea NOT NULL)"
_STORE = "INSERT INTO public.ceiling SELECT * FROM unnest($1::integer[], $2::bytea[])"
