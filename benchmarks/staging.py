"""What no importer in Python can be faster than: the same answers read, the same events stored and published.

No queue, no mirror, no lease, no quota and no import of its own: 5,000 events to a transaction and a publication.
"""

import asyncio
import time
from collections.abc import Container, Mapping, Sequence
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
CALLS_AT_ONCE = 4
"""As many as imports may make at one practice."""
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


@dataclass(frozen=True, slots=True)
class Ceilings:
    """By list, and one by one with the parties known from the lists."""

    by_list: Ceiling
    one_by_one: Ceiling


async def measure_ceilings(
    place: Place, http: httpx.AsyncClient, lists: Sequence[str], single: Sequence[str], clients: Sequence[str]
) -> Ceilings:
    """Bring in these clients from what the lists answer, one after the other, and then from calls of their own."""
    database = await asyncpg.connect(place.dsn)
    publisher = Publisher(place.settings, "bench")
    await database.execute(_TABLE)
    await publisher.publish(
        [Outgoing(JOURNAL, TENANT, b"{}")]
    )  # whoever measures rates has a producer by then
    known: dict[str, Client] = {}

    async def measured(calls: Sequence[str], at_once: int) -> Ceiling:
        times = [time.perf_counter()]
        read = await _answers(http, calls, at_once, frozenset(clients))
        times.append(time.perf_counter())
        known.update(read)
        events = _events([read[each] for each in clients], known)
        times.append(time.perf_counter())
        for since in range(0, len(events), AT_ONCE):
            some = events[since : since + AT_ONCE]
            await database.execute(_STORE, list(range(since, since + len(some))), some)
            await publisher.publish([Outgoing(JOURNAL, TENANT, event) for event in some])
        times.append(time.perf_counter())
        await database.execute("TRUNCATE public.ceiling")
        return Ceiling(*(after - before for before, after in pairwise(times)))

    ceilings = Ceilings(await measured(lists, 1), await measured(single, CALLS_AT_ONCE))
    await database.execute("DROP TABLE public.ceiling")
    await publisher.close()
    await database.close()
    return ceilings


async def _answers(
    http: httpx.AsyncClient, calls: Sequence[str], at_once: int, tied: Container[str]
) -> dict[str, Client]:
    """The clients that the calls bring, each of the `tied` with its relationships if any call has those."""
    read: dict[str, Client] = {}
    to_make = iter(calls)

    async def make() -> None:
        for call in to_make:
            for client in await _read(http, call, tied):
                if client.xpm_client_id not in read or client.relationships:
                    read[client.xpm_client_id] = client

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(make())
    return read


async def _read(http: httpx.AsyncClient, call: str, tied: Container[str]) -> list[Client]:
    reader, found = ClientReader(tied=tied), list[Client]()
    async with http.stream("GET", call) as answer:
        async for piece in answer.aiter_bytes():
            found.extend(reader.feed(piece))
    return [*found, *reader.close()]


def _events(clients: Sequence[Client], read: Mapping[str, Client]) -> list[bytes]:
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
