"""The replay without the folding: how fast as many processes as `muster replay` starts can be at what is left of it.

Each has partitions of its own, and for one after the other it reads the journal as the replay does, to events, and
copies rows of the same shapes in pieces of the same size by the same connections into tables without indexes, which are
made in the end. It folds nothing: the rows were made before the clock starts. Processes, imports and connections are
there by then too, and who gets which partition is settled, none of which a replay has for nothing.
"""

import asyncio
import gc
import multiprocessing
import os
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import asyncpg

from benchmarks.drains import rows
from benchmarks.place import Place, emptied
from benchmarks.ready_made import Made, Making, Rate, Used
from benchmarks.usage import Servers
from services.resolver import generations, saving
from services.resolver.domain.state import World
from services.resolver.domain.version import RULES_VERSION
from services.resolver.generations import Generation
from services.resolver.replaying.building import MOST_JOBS
from services.resolver.replaying.crew import GARBAGE_THRESHOLDS, connected
from services.resolver.replaying.folding import RECORDS_AT_ONCE, RECORDS_OF_A_TRANSACTION
from services.resolver.replaying.journal import Journal, reading
from worker.database import Database
from worker.settings import Settings

GENERATION = Generation(number=2, rules=RULES_VERSION, swap=0)
"""Beside the one that a database has from the first day on."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one transaction writes, and up to which offset that is."""

    until: int
    made: Made


@dataclass(frozen=True, slots=True)
class Crew:
    """The processes, each with its rows made; they can copy them as often as is asked for."""

    pipes: Sequence[Connection]
    making: Sequence[Making]

    async def rate(self, place: Place, servers: Servers) -> Rate:
        """Copy it all into an empty database, once."""
        async with emptied(place) as here:
            database, beside = [await asyncpg.connect(here.dsn) for _ in range(2)]
            async with database.transaction():
                await generations.create(database, GENERATION)
            await self._ask(here.settings)
            used = Used(servers)
            with used.counting():
                cpu = await self._ask("go")
                await generations.complete(database, beside, GENERATION)
            used.cpu += sum(cpu)
            written = await rows(database, GENERATION.schema, "%")
            await database.close()
            await beside.close()
        return used.rate(written, *self.making)

    async def _ask(self, what: Any) -> list[Any]:
        for pipe in self.pipes:
            pipe.send(what)
        return await _answers(self.pipes)


@asynccontextmanager
async def crew(place: Place) -> AsyncIterator[Crew]:
    """As many processes as a replay starts, which end with the context."""
    async with reading(place.settings) as journal:
        ends = {where[1]: log.end for where, log in (await journal.logs()).items()}
    spawning = multiprocessing.get_context("spawn")
    shares = _shares(ends, min(os.cpu_count() or 1, MOST_JOBS))
    pipes, processes = [], []
    try:
        for share in shares:
            ours, theirs = spawning.Pipe()
            process = spawning.Process(target=_member, args=(place.settings, share, theirs), daemon=True)
            process.start()
            theirs.close()
            pipes.append(ours)
            processes.append(process)
        yield Crew(pipes, await _answers(pipes))
    finally:
        for process in processes:
            process.kill()


async def _answers(pipes: Sequence[Connection]) -> list[Any]:
    try:
        return [await asyncio.to_thread(pipe.recv) for pipe in pipes]
    except EOFError:
        raise RuntimeError("A process that copies ready-made rows has ended; see above.") from None


def _shares(ends: Mapping[int, int], processes: int) -> list[dict[int, int]]:
    """Partitions, the long ones first, each to who has least so far: to nobody in vain."""
    shares: list[dict[int, int]] = [{} for _ in range(processes)]
    for partition in sorted(ends, key=lambda each: -ends[each]):
        if ends[partition]:
            min(shares, key=lambda share: sum(share.values()))[partition] = ends[partition]
    return shares


def _member(settings: Settings, share: Mapping[int, int], pipe: Connection) -> None:
    """One process; it ends with the one that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    making = Making()
    made = asyncio.run(_make(settings, share, making))
    gc.freeze()
    pipe.send(making)
    while True:
        asyncio.run(_copy(pipe.recv(), made, pipe))


async def _make(settings: Settings, share: Mapping[int, int], making: Making) -> dict[int, list[Piece]]:
    async with reading(settings) as journal:
        return {partition: await _pieces(journal, partition, share[partition], making) for partition in share}


async def _pieces(journal: Journal, partition: int, end: int, making: Making) -> list[Piece]:
    """Fold a partition as a replay does, and keep what it would write."""
    world, decisions, pieces = World(), [], []
    async for raws, reached in journal.pieces(partition, 0, end):
        for first in range(0, len(raws), RECORDS_AT_ONCE):
            began = time.process_time()
            records = [journal.record(each) for each in raws[first : first + RECORDS_AT_ONCE]]
            read = time.process_time()
            decisions += saving.fold(world, records)[1]
            making.reading += read - began
            making.rules += time.process_time() - read
        making.records += len(raws)
        if len(decisions) >= RECORDS_OF_A_TRANSACTION or reached == end:
            began = time.process_time()
            made = Made()
            await saving.save(made, world, decisions)  # type: ignore[arg-type]
            for state in world.tenants.values():
                state.settle()
            making.rules += time.process_time() - began
            pieces.append(Piece(reached, made))
            decisions = []
    return pieces


async def _copy(settings: Settings, made: Mapping[int, Sequence[Piece]], pipe: Connection) -> None:
    database = await connected(settings, GENERATION.schema, synchronous_commit="off")
    async with reading(settings) as journal:
        pipe.send("ready")
        await asyncio.to_thread(pipe.recv)
        used = time.process_time()
        for partition, pieces in made.items():
            await _copy_partition(database, journal, partition, pieces)
        pipe.send(time.process_time() - used)
    await database.close()


async def _copy_partition(
    database: Database, journal: Journal, partition: int, pieces: Sequence[Piece]
) -> None:
    waiting = list(pieces)
    async for raws, reached in journal.pieces(partition, 0, pieces[-1].until):
        for first in range(0, len(raws), RECORDS_AT_ONCE):
            for raw in raws[first : first + RECORDS_AT_ONCE]:
                journal.record(raw)
        while waiting and waiting[0].until <= reached:
            await waiting.pop(0).made.write(database)
