"""The importer beside a bare client that makes the same calls: `python -m benchmarks.importing`.

One practice, CLIENTS imports requested at once, twelve relationships each, a sandbox without quota, a real Kafka and a
real Postgres. The importer's time is from its first call to the last `ItemStaged` that the journal has; the bare client
replays exactly those calls, as many at once, and throws the bodies away. Pairs alternate within one run.

By list: everything is read by two lists. One by one: the same clients again with the mirror warm, a call each.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from resource import RUSAGE_SELF, getrusage
from statistics import median
from typing import Any

import asyncpg
import httpx
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from rich.console import Console
from rich.table import Table

from benchmarks.place import Place, RunningService, fresh_place
from benchmarks.recorded_sandbox import MIX, RELATIONSHIPS, SEED, tenant
from benchmarks.staging import Ceilings, measure_ceilings
from sandbox.quota import GENEROUS
from sandbox.seeded import seeded_practice
from schemas.codec import encode
from schemas.imports import ImportRequested
from schemas.topics import JOURNAL, REQUESTS
from services.importer.app import NO_LIMIT
from stack.opening import open_stack
from stack.settings import StackSettings
from worker.publisher import Publisher
from worker.records import Outgoing

console = Console(width=110)
LIMIT_SECONDS = 900
WARM = "again-"
"""Before the ids of the imports that find the mirror warm."""


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds on the clock, and of CPU in the process that made the calls."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Pair:
    """The importer and the bare client, with the same `calls`."""

    calls: int
    items: int
    importer: Took
    bare: Took

    @property
    def ratio(self) -> float:
        """How many times as long the importer takes."""
        return self.importer.wall / self.bare.wall


@dataclass(frozen=True, slots=True)
class Ratios:
    """Medians over the pairs: how many times as long as the bare client the importer takes, and what it took."""

    by_list: Sequence[Pair]
    one_by_one: Sequence[Pair]
    ceilings: Sequence[Ceilings]

    @property
    def list_ratio(self) -> float:
        return median(pair.ratio for pair in self.by_list)

    @property
    def one_by_one_ratio(self) -> float:
        return median(pair.ratio for pair in self.one_by_one)


def main() -> None:
    """Read the arguments, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--clients", type=int, default=1_000)
    parser.add_argument("--quick", action="store_true", help="one pair of 100 clients")
    asked = parser.parse_args()
    pairs, clients = (1, 100) if asked.quick else (asked.pairs, asked.clients)
    _print(asyncio.run(measure_importing(pairs, clients)), clients)


async def measure_importing(pairs: int, clients: int) -> Ratios:
    """Everything, in one run. Raises `AssertionError` where the importer staged other than there is to be staged."""
    stack = StackSettings.from_environment()
    async with AsyncExitStack() as parts:
        addresses = await parts.enter_async_context(open_stack(stack, "benchmark", console.print))
        place = await parts.enter_async_context(fresh_place(addresses, stack.folder))
        sandbox = await parts.enter_async_context(_sandbox(clients, pairs))
        importer = await parts.enter_async_context(place.service("importer", **_variables(sandbox, pairs)))
        database = await asyncpg.connect(place.dsn)
        parts.push_async_callback(database.close)
        run = _Run(place, sandbox, importer, database, _asked(clients))
        halves, ceilings = [], []
        for number in range(pairs):
            halves.append((await run.half(number, ""), await run.half(number, WARM)))
            by_list, one_by_one = halves[-1]
            async with _http(sandbox, number, limits=NO_LIMIT) as http:
                ceilings.append(
                    await measure_ceilings(place, http, by_list.lists, one_by_one.singles, run.clients)
                )
        staged = await _staged(place)
    by_list, one_by_one = ([half.pair(staged) for half in way] for way in zip(*halves, strict=True))
    return Ratios(by_list, one_by_one, ceilings)


@dataclass(frozen=True, slots=True)
class _Half:
    """One run of the importer and its replay, as long as it is not known when the last item was staged."""

    tenant_id: str
    prefix: str
    calls: Sequence[str]
    first_at: float
    cpu: float
    bare: Took

    @property
    def lists(self) -> list[str]:
        return [call for call in self.calls if "/list" in call]

    @property
    def singles(self) -> list[str]:
        return [call for call in self.calls if "/get/" in call]

    def pair(self, staged: dict[tuple[str, str], list[float]]) -> Pair:
        moments = staged[self.tenant_id, self.prefix]
        return Pair(len(self.calls), len(moments), Took(max(moments) - self.first_at, self.cpu), self.bare)


@dataclass(frozen=True, slots=True)
class _Run:
    place: Place
    sandbox: str
    importer: RunningService
    database: asyncpg.Connection
    clients: Sequence[str]

    async def half(self, number: int, prefix: str) -> _Half:
        """Have the importer work off all clients of a practice, then replay what it called."""
        tenant_id, ended = f"t{number}", await self._ended()
        await self.database.execute(_HOLD, tenant_id)
        await self._ask(tenant_id, prefix)
        await _until(lambda: self._taken_in(ended + len(self.clients)))
        await _recorded(self.sandbox)
        cpu = self.importer.cpu_seconds()
        await self.database.execute(_LET_GO, tenant_id)
        await _until(lambda: self._have_ended(ended + len(self.clients)))
        cpu = self.importer.cpu_seconds() - cpu
        recorded = await _recorded(self.sandbox)
        bare = await _replay(self.sandbox, number, recorded["calls"], recorded["at_once"])
        await _recorded(self.sandbox)
        return _Half(tenant_id, prefix, recorded["calls"], recorded["first_at"], cpu, bare)

    async def _ask(self, tenant_id: str, prefix: str) -> None:
        publisher = Publisher(self.place.settings, "bench")
        await publisher.publish(
            [Outgoing(REQUESTS, tenant_id, _request(tenant_id, prefix, client)) for client in self.clients]
        )
        await publisher.close()

    async def _ended(self) -> int:
        return int(await self.database.fetchval(_ENDED))

    async def _have_ended(self, number: int) -> bool:
        return await self._ended() >= number

    async def _taken_in(self, number: int) -> bool:
        return bool(await self.database.fetchval("SELECT count(*) FROM importer.requests") >= number)


async def _until(predicate: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(LIMIT_SECONDS):
        while not await predicate():  # noqa: ASYNC110 - it is another process that is waited for
            await asyncio.sleep(0.05)


def _request(tenant_id: str, prefix: str, client: str) -> bytes:
    fact = ImportRequested(client_id=client, xpm_client_id=client, requested_by="Benchmark")
    return encode(
        fact,
        id=f"{prefix}{client}",
        source="/benchmarks",
        time="2026-01-01T00:00:00Z",
        subject=f"clients/{client}",
        tenant_id=tenant_id,
    )


def _asked(clients: int) -> list[str]:
    """Clients that are current, and have as many relationships as they should."""
    parties = seeded_practice(SEED, clients * 3, MIX).parties
    found = [
        uuid for uuid, each in parties.items() if each.is_current and len(each.relationships) == RELATIONSHIPS
    ]
    assert len(found) >= clients
    return found[:clients]


def _variables(sandbox: str, practices: int) -> dict[str, str]:
    """Of one by one nothing may be read by list while the mirror is warm; while it is cold, four imports suffice."""
    connections = {
        f"t{number}": dict(zip(("xpm_tenant_id", "access_token"), tenant(number), strict=True))
        for number in range(practices)
    }
    return {
        "MUSTER_XPM_URL": sandbox,
        "MUSTER_XPM_CONNECTIONS": json.dumps(connections),
        "MUSTER_XPM_CALLS_A_MINUTE": str(GENEROUS.minute),
        "MUSTER_XPM_CALLS_A_DAY": str(GENEROUS.day),
        "MUSTER_XPM_LIST_IMPORTS": str(10**8),
    }


@asynccontextmanager
async def _sandbox(clients: int, practices: int) -> AsyncIterator[str]:
    """The address of a sandbox in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.recorded_sandbox",
        f"--clients={clients}",
        f"--practices={practices}",
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.wait()


async def _recorded(sandbox: str) -> dict[str, Any]:
    async with httpx.AsyncClient() as http:
        said: dict[str, Any] = (await http.get(f"{sandbox}/recorded")).json()
        return said


async def _replay(sandbox: str, number: int, calls: Sequence[str], at_once: int) -> Took:
    """Make the calls again, as many at once, and throw away what comes."""
    to_make = iter(calls)

    async def make(http: httpx.AsyncClient) -> None:
        for call in to_make:
            async with http.stream("GET", call) as answer:
                assert answer.status_code == httpx.codes.OK
                async for _ in answer.aiter_bytes():
                    pass

    async with _http(sandbox, number) as http:
        cpu, began = _cpu(), time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(make(http))
        return Took(time.perf_counter() - began, _cpu() - cpu)


def _http(sandbox: str, number: int, **more: Any) -> httpx.AsyncClient:
    xpm_tenant_id, token = tenant(number)
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/xml",
        "Xero-Tenant-Id": xpm_tenant_id,
    }
    return httpx.AsyncClient(base_url=sandbox, headers=headers, timeout=300, **more)


def _cpu() -> float:
    used = getrusage(RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _staged(place: Place) -> dict[tuple[str, str], list[float]]:
    """When the broker had each item, in seconds since 1970, by tenant and run."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    settings = place.settings
    async with AIOKafkaConsumer(bootstrap_servers=settings.kafka, auto_offset_reset="earliest") as kafka:
        places = [
            TopicPartition(settings.topic_name(JOURNAL), each) for each in range(settings.partitions(JOURNAL))
        ]
        kafka.assign(places)
        ends = await kafka.end_offsets(places)
        while any([await kafka.position(each) < ends[each] for each in places]):
            for records in (await kafka.getmany(timeout_ms=200)).values():
                for record in records:
                    event = orjson.loads(record.value)
                    if event.get("type") == "muster.item.staged.v1":
                        prefix = WARM if event["data"]["import_id"].startswith(WARM) else ""
                        found[event["tenantid"], prefix].append(record.timestamp / 1000)
    return found


def _print(ratios: Ratios, clients: int) -> None:
    title = f"{clients:,} imports requested at once, {RELATIONSHIPS} relationships each"
    table = Table("", "calls", "importer s", "bare s", "ratio", "importer CPU s", "bare CPU s", title=title)
    for name, pairs in (("by list", ratios.by_list), ("one by one", ratios.one_by_one)):
        table.add_row(
            name,
            f"{median(each.calls for each in pairs):,.0f}",
            f"{median(each.importer.wall for each in pairs):.2f}",
            f"{median(each.bare.wall for each in pairs):.2f}",
            f"{median(each.ratio for each in pairs):.2f}",
            f"{median(each.importer.cpu for each in pairs):.2f}",
            f"{median(each.bare.cpu for each in pairs):.2f}",
        )
    console.print(table)
    for name, ceilings in (
        ("by list", [each.by_list for each in ratios.ceilings]),
        ("one by one", [each.one_by_one for each in ratios.ceilings]),
    ):
        reading, making, storing = (
            median(getattr(each, part) for each in ceilings) for part in ("reading", "making", "storing")
        )
        console.print(
            f"{name.capitalize()}, nothing but the answers read ({reading:.2f} s), the events made ({making:.2f} s), "
            f"stored and published ({storing:.2f} s)."
        )


_ENDED = "SELECT count(*) FROM importer.requests WHERE status = 'ended'"
_HOLD = (
    "INSERT INTO importer.turns (tenant_id, paused_until) VALUES ($1, clock_timestamp() + interval '1 hour') "
    "ON CONFLICT (tenant_id) DO UPDATE SET paused_until = excluded.paused_until"
)
_LET_GO = (
    "WITH gone AS (UPDATE importer.turns SET paused_until = NULL WHERE tenant_id = $1) "
    "SELECT pg_notify('importer_requests', '')"
)

if __name__ == "__main__":
    main()
