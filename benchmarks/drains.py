"""How fast a journal that is there already is worked off: by the resolver, by several of them, by `muster replay`.

Time and CPU are counted from the first stored batch to the last, for everybody: what a start takes is not in them.
Rows are those that Postgres says were inserted and updated.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.filling import Filled
from benchmarks.place import Place, RunningService, emptied
from benchmarks.usage import Servers, cpu_seconds, rss_bytes

LIMIT_SECONDS = 240.0
LOOK_SECONDS = 0.02
LOOK_AT_MEMORY_SECONDS = 0.5
SETTLED_SECONDS = 1.2
"""After this long what a session counted is in Postgres' statistics."""
OURS = "resolver_g%"
_APPLIED = (
    "SELECT coalesce(sum(applied_to), 0)::bigint FROM resolver_g1.positions WHERE topic = 'muster.journal'"
)
_ROWS = """
SELECT coalesce(sum(n_tup_ins + n_tup_upd), 0)::bigint FROM pg_stat_user_tables
WHERE schemaname LIKE $1 AND relname LIKE $2 AND relname <> 'positions'
"""


@dataclass(frozen=True, slots=True)
class Drained:
    """What one run came to. CPU seconds are for the `counted` records, `rows` are of all `records`."""

    records: int
    counted: int
    seconds: float
    rows: int
    cpu_seconds: float
    postgres_seconds: float
    kafka_seconds: float
    rss_bytes: Sequence[int] = ()
    """Now and then, from the first batch to the last."""
    whole_seconds: float | None = None
    """With the start and the end of the program, where that is known."""

    @property
    def records_per_second(self) -> float:
        return self.counted / self.seconds

    @property
    def rows_per_second(self) -> float:
        return self.records_per_second * self.rows / self.records

    def document(self) -> dict[str, Any]:
        """As it is kept: what was measured, and what follows from it."""
        return {
            **asdict(self),
            "rss_bytes": list(self.rss_bytes),
            "records_per_second": self.records_per_second,
            "rows_per_second": self.rows_per_second,
            "cpu_per_record": self.cpu_seconds / self.counted,
            "postgres_per_record": self.postgres_seconds / self.counted,
            "kafka_per_record": self.kafka_seconds / self.counted,
        }


class Watch:
    """Counts from the first batch on what processes and servers use."""

    def __init__(self, servers: Servers, pids: Sequence[int]) -> None:
        self._servers = servers
        self._pids = pids
        self.rss: list[int] = []
        self._began = self._ended = (0.0, 0.0, 0.0, 0.0)
        self.first = 0

    def begin(self, first: int) -> None:
        """The first batch, of so many records, is in."""
        self.first = first
        self._began = self._now()

    @property
    def begun(self) -> bool:
        """Whether a first batch was seen."""
        return self.first > 0

    def look(self) -> None:
        """See how much memory there is now."""
        self.rss.append(sum(map(rss_bytes, self._pids)))

    def end(self, records: int, rows: int) -> Drained:
        """What was used since the beginning."""
        seconds, cpu, kafka, postgres = (
            now - then for now, then in zip(self._ended, self._began, strict=True)
        )
        every = max(1, len(self.rss) // 20)
        return Drained(records, records - self.first, seconds, rows, cpu, postgres, kafka, self.rss[::every])

    def stop(self) -> None:
        """The last record is in."""
        self._ended = self._now()

    def _now(self) -> tuple[float, float, float, float]:
        cpu = sum(map(cpu_seconds, self._pids))
        return time.perf_counter(), cpu, *self._servers.cpu_seconds()


async def resolve(place: Place, records: int, servers: Servers, processes: int = 1) -> Drained:
    """The resolver works the whole journal off, into an empty database, in so many processes."""
    async with emptied(place) as here:
        database = await asyncpg.connect(here.dsn)
        async with AsyncExitStack() as parts:
            running = [
                await parts.enter_async_context(here.service("resolver", number + 1))
                for number in range(processes)
            ]
            watch = Watch(servers, [each.process.pid for each in running])
            await drained(watch, lambda: applied(database, running), records)
        try:
            return watch.end(records, await rows(database, OURS, "%"))
        finally:
            await database.close()


async def drained(watch: Watch, done: Callable[[], Awaitable[int]], records: int) -> None:
    """Watch until so many are done. A run that is over at the first look counts from before it."""
    watch.begin(0)
    looked = 0.0
    async with asyncio.timeout(LIMIT_SECONDS):
        while (number := await done()) < records:
            if number and not watch.begun:
                watch.begin(number)
            if watch.begun and time.monotonic() > looked + LOOK_AT_MEMORY_SECONDS:
                looked = time.monotonic()
                watch.look()
            await asyncio.sleep(LOOK_SECONDS)
    watch.stop()


async def applied(database: Any, running: Sequence[RunningService]) -> int:
    """How many records are in. Raises `RuntimeError` when a process that should work at them is gone."""
    ended = [each.process for each in running if not each.process.running]
    if ended:
        raise RuntimeError(f"{ended[0].name} ended.\n{ended[0].last_lines()}")
    return int(await database.fetchval(_APPLIED))


async def rows(database: Any, schema: str, table: str) -> int:
    """How many rows were inserted and updated in these tables since they were made."""
    await asyncio.sleep(SETTLED_SECONDS)
    return int(await database.fetchval(_ROWS, schema, table))


async def replay(place: Place, filled: Filled, servers: Servers) -> Drained:
    """`muster replay --swap` folds the whole journal for an empty database; its time is until the indexes are there."""
    async with emptied(place) as here:
        began, kafka, postgres = time.perf_counter(), *servers.cpu_seconds()
        answer, cpu = await _replay(here)
        whole = time.perf_counter() - began
        kafka, postgres = (
            now - then for now, then in zip(servers.cpu_seconds(), (kafka, postgres), strict=True)
        )
        database = await asyncpg.connect(here.dsn)
        written = await rows(database, OURS, "%")
        await database.close()
    records, phases = answer["folded"]["records"], answer["phases"]
    seconds = phases["folding"] + phases["indexing"]
    if records != filled.records:
        raise RuntimeError(f"muster replay folded {records} of {filled.records} records")
    return Drained(records, records, seconds, written, cpu, postgres, kafka, (), whole)


async def _replay(place: Place) -> tuple[Any, float]:
    """What it answered, and the CPU seconds it used."""
    muster = Path(sys.executable).with_name("muster")
    before = os.times()
    process = await asyncio.create_subprocess_exec(
        muster,
        "replay",
        "--swap",
        "--json",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | place.variables(),
    )
    said, complaints = await process.communicate()
    after = os.times()
    if process.returncode:
        raise RuntimeError(
            f"muster replay ended with {process.returncode}: {(said + complaints).decode()[-2000:]}"
        )
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return json.loads(said), used
