"""One run of each peer on a journal that is there: from its first stored row to the last record of every partition."""

import asyncio
import json
import subprocess
import sys
import venv
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg

from benchmarks.drains import Drained, Watch, drained, rows
from benchmarks.filling import Filled
from benchmarks.peers import table
from benchmarks.peers.debezium import Sink, Worker
from benchmarks.place import Place
from benchmarks.usage import Servers
from schemas.topics import JOURNAL
from stack.process import ServerProcess

REQUIREMENTS = Path(__file__).with_name("faust.txt")
INSTALL_SECONDS = 180
FAUST_SECONDS = 120.0
START_SECONDS = 60.0


async def debezium(
    place: Place, filled: Filled, servers: Servers, worker: Worker, *, unnest: bool = False
) -> Drained:
    """A connector of its own for this run, in a worker that is up already."""
    name = _new_table()
    sink = Sink(name, place.settings.topic_name(JOURNAL), place.dsn, name, unnest)

    async def check() -> None:
        if why := await worker.failure(sink):
            raise RuntimeError(why)

    @asynccontextmanager
    async def running() -> AsyncIterator[int]:
        await worker.begin(sink)
        try:
            yield worker.process.pid
        finally:
            await worker.end(sink)

    return await _into_table(place, filled, servers, name, running, check)


async def faststream(place: Place, filled: Filled, servers: Servers, module: str) -> Drained:
    """One of the FastStream programs, as a process of its own."""
    name = _new_table()
    process = ServerProcess(f"bench-{module}", place.folder, variables=variables(place, name))

    async def check() -> None:
        if not process.running:
            raise RuntimeError(process.last_lines())

    @asynccontextmanager
    async def running() -> AsyncIterator[int]:
        await process.start(sys.executable, "-m", f"benchmarks.peers.{module}")
        try:
            yield process.pid
        finally:
            await process.stop()

    return await _into_table(place, filled, servers, name, running, check)


async def _into_table(
    place: Place,
    filled: Filled,
    servers: Servers,
    name: str,
    running: Callable[[], Any],
    check: Callable[[], Awaitable[None]],
) -> Drained:
    database = await asyncpg.connect(place.dsn)
    try:
        await table.make(database, name)
        async with running() as pid:
            watch = Watch(servers, [pid])
            await drained(watch, lambda: _done(database, name, filled, watch, check), filled.records)
        return watch.end(filled.records, await rows(database, "public", name))
    finally:
        await database.execute(f"DROP TABLE IF EXISTS {name}")
        await database.close()


async def _done(
    database: Any, name: str, filled: Filled, watch: Watch, check: Callable[[], Awaitable[None]]
) -> int:
    """All records, or as many as there are rows at the very first, or none yet."""
    if not watch.begun:
        first = int(await database.fetchval(f"SELECT count(*) FROM {name}"))
        if not first:
            await check()
        return first
    if await table.is_complete(database, name, filled):
        return filled.records
    await check()
    return watch.first


async def faust(place: Place, filled: Filled, python: Path) -> Drained:
    """Faust counts the records; there is no database."""
    result = place.folder / f"{_new_table()}.json"
    told = variables(place, result.stem) | {
        "PEER_RECORDS": str(filled.records),
        "PEER_RESULT": str(result),
        "PEER_FOLDER": str(place.folder / result.stem),
    }
    process = ServerProcess("bench-faust", place.folder, variables=told)
    program = Path(__file__).with_name("faust_counting.py")
    await process.start(python, program, "worker", "--loglevel=warn")
    try:
        await process.until(result.exists, FAUST_SECONDS)
        measured = json.loads(result.read_text(encoding="utf-8"))
    finally:
        await process.stop()
        result.unlink(missing_ok=True)
    return Drained(filled.records, filled.records - 1, measured["seconds"], 0, measured["cpu_seconds"], 0, 0)


async def faust_python(programs: Path, tell: Callable[[str], None]) -> Path:
    """The Python of an environment that has Faust and nothing of Muster's, made the first time."""
    digest = sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    folder = programs / f"faust-{digest}"
    done = folder / "installed"
    if not done.exists():
        tell("Installing Faust into an environment of its own")
        await asyncio.to_thread(_install, folder)
        done.touch()
    return folder / "bin" / "python"


def _install(folder: Path) -> None:
    venv.create(folder, with_pip=True, clear=True)
    subprocess.run(
        [folder / "bin" / "pip", "install", "--quiet", "--require-hashes", "-r", REQUIREMENTS],
        check=True,
        timeout=INSTALL_SECONDS,
        capture_output=True,
    )


def _new_table() -> str:
    return f"peer_{uuid4().hex[:8]}"


def variables(place: Place, name: str) -> dict[str, str]:
    """What a peer's process is told of where it works."""
    return {
        "PEER_KAFKA": place.settings.kafka,
        "PEER_TOPIC": place.settings.topic_name(JOURNAL),
        "PEER_GROUP": f"{place.settings.topic_prefix}{name}",
        "PEER_DSN": place.dsn,
        "PEER_TABLE": name,
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
