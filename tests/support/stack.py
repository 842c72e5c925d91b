"""One real Kafka and one real Postgres for a whole test run, each started when the first test asks for it.

The process that runs the session owns them, so that they end with it; the workers of pytest-xdist ask for them and
learn their addresses through files in a folder that they share.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from ops.migrate import migrate
from stack.claims import claim, holder
from stack.opening import Part, choose, delete_data
from stack.settings import StackSettings, project

PARTS = ("kafka", "postgres")
STARTS_WITHIN = 300.0
"""Seconds: the very first start fetches and prepares the broker."""


class Owner:
    """Runs the two for as long as the session lasts."""

    def __init__(self) -> None:
        runs = StackSettings.from_environment().folder / "tests"
        runs.mkdir(parents=True, exist_ok=True)
        sweep(runs)
        self.folder = Path(tempfile.mkdtemp(dir=runs))
        self._settings = replace(StackSettings.from_environment(), folder=self.folder)
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        delete_data(self._settings)
        shutil.rmtree(self.folder, ignore_errors=True)

    async def _serve(self) -> None:
        with claim(self.folder / "session.claim", "pytest"):
            if await self._until_wanted(*PARTS):
                await self._offer_all()

    async def _offer_all(self) -> None:
        try:
            parts = await choose(self._settings, tell=lambda _: None)
        except Exception as error:  # the tests that asked are told
            self._say("failure", str(error))
            raise
        await asyncio.gather(*(self._offer(name, part) for name, part in zip(PARTS, parts, strict=True)))

    async def _offer(self, name: str, part: Part[str]) -> None:
        if not await self._until_wanted(name):
            return
        try:
            async with part as address:
                self._say(name, address)
                await asyncio.to_thread(self._over.wait)
        except Exception as error:
            self._say("failure", str(error))
            raise

    async def _until_wanted(self, *names: str) -> bool:
        while not self._over.is_set():
            if any((self.folder / f"{name}.wanted").exists() for name in names):
                return True
            await asyncio.sleep(0.05)
        return False

    def _say(self, name: str, text: str) -> None:
        unfinished = self.folder / f"{name}.unsaid"
        unfinished.write_text(text, encoding="utf-8")
        unfinished.rename(self.folder / f"{name}.said")


def sweep(runs: Path) -> None:
    """Delete what runs that were killed have left."""
    for folder in runs.iterdir():
        if folder.stat().st_mtime < time.time() - 60 and holder(folder / "session.claim") is None:
            shutil.rmtree(folder, ignore_errors=True)


def address_of(name: str, folder: Path) -> str:
    """Ask the session's owner for a part, and wait for its address."""
    (folder / f"{name}.wanted").touch()
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        if (answer := folder / f"{name}.said").exists():
            return answer.read_text(encoding="utf-8")
        if (failure := folder / "failure.said").exists():
            raise RuntimeError(failure.read_text(encoding="utf-8"))
        time.sleep(0.05)
    raise TimeoutError(f"{name} did not start within {STARTS_WITHIN:g} s")


@contextlib.asynccontextmanager
async def fresh_database(server: str, template: str | None = None) -> AsyncIterator[str]:
    """Have a database of one's own on the server, empty or a copy of the template; its DSN."""
    name = f"test_{secrets.token_hex(6)}"
    source = f" TEMPLATE {template}" if template else ""
    await execute(server, f"CREATE DATABASE {name}{source}")
    try:
        yield with_database(server, name)
    finally:
        await execute(server, f"DROP DATABASE {name} WITH (FORCE)")


async def migrated_template(server: str, folder: Path) -> str:
    """Return the name of a database with every migration applied, to be copied; made once, by whoever comes first."""
    migrations = sorted((project() / "migrations").glob("*.sql"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in migrations)).hexdigest()
    name = f"migrated_{digest[:12]}"
    with (folder / "template.lock").open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        if not await exists(server, name):
            await make_template(server, name)
    return name


async def make_template(server: str, name: str) -> None:
    """Migrate aside and rename when complete."""
    unfinished = f"{name}_unfinished"
    await execute(server, f"DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)")
    await execute(server, f"CREATE DATABASE {unfinished}")
    await migrate(with_database(server, unfinished))
    await execute(server, f"ALTER DATABASE {unfinished} RENAME TO {name}")


async def exists(server: str, name: str) -> bool:
    connection = await asyncpg.connect(server)
    try:
        return bool(await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name))
    finally:
        await connection.close()


async def execute(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def with_database(server: str, name: str) -> str:
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
