"""A server process that never outlives its owner, whatever happens to the owner."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from stack import guardian
from stack.errors import ServerFailed

LOG_KEPT = 4 * 2**20
"""Bytes of a log after which a start moves it aside."""

PASSED_ON = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH")
"""Nothing else of the environment reaches a server: PGDATA or JAVA_TOOL_OPTIONS would change what it does."""


class ServerProcess:
    """One server: start it, wait for it, stop it or kill it, and start it again.

    Nothing here belongs to an event loop, so a server may be started in one and stopped in another.
    """

    def __init__(
        self, name: str, folder: Path, user: int | None = None, variables: Mapping[str, str] | None = None
    ) -> None:
        """`variables` are what the server needs of an environment beyond the few that are passed on to all."""
        self.name = name
        self.variables = variables or {}
        self.log = folder / f"{name}.log"
        self.lock = folder / f"{name}.lock"
        self.user = user
        self.pid = 0
        self.patience = 30.0
        self._guardian: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._guardian is not None and self._guardian.poll() is None

    async def start(
        self,
        *command: str | Path,
        stop_signal: signal.Signals = signal.SIGTERM,
        stale: Sequence[Path] = (),
        grace: float = 15.0,
    ) -> None:
        """Start once nothing of an earlier run is left, for which it waits up to `patience` seconds.

        `stop_signal` asks this server to stop in good order, for which it has `grace` seconds; the `stale` files
        are removed when it is certain that the earlier run is over.
        """
        assert not self.running, f"{self.name} is running"
        await self.stop()
        self._put_large_log_aside()
        charge = guardian.Charge(
            command=[str(part) for part in command],
            lock=str(self.lock),
            log=str(self.log),
            stop_signal=stop_signal,
            grace=grace,
            patience=self.patience,
            user=self.user,
            stale=[str(path) for path in stale],
        )
        self._guardian = guard(charge, self.variables)
        await self._learn_pid(self._guardian)

    async def _learn_pid(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        said = await asyncio.to_thread(process.stdout.readline)
        if not said.startswith(b"started "):
            await self.stop()
            raise ServerFailed(f"{self.name} did not start: {said.decode().strip()}")
        self.pid = int(said.split()[1])

    async def run(self, *command: str | Path, limit: float = 120.0) -> None:
        """Run a command that ends by itself, under the same lock and to the same log as the server."""
        await self.start(*command)
        assert self._guardian is not None
        process = self._guardian
        await self.until(lambda: process.poll() == 0, limit)
        await self.stop()

    async def until(self, ready: Callable[[], bool], limit: float) -> None:
        """Wait until it is ready; raise ServerFailed if it ends first or needs more than `limit` seconds."""
        deadline = time.monotonic() + limit
        while not ready():
            if not self.running and not ready():
                raise ServerFailed(f"{self.name} ended while starting.\n{self.last_lines()}")
            if time.monotonic() > deadline:
                await self.kill()
                raise ServerFailed(f"{self.name} was not ready within {limit:g} s.\n{self.last_lines()}")
            await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """Stop in good order, and wait for the end."""
        if self._guardian is None:
            return
        assert self._guardian.stdin is not None
        assert self._guardian.stdout is not None
        self._guardian.stdin.close()
        await asyncio.to_thread(self._guardian.wait)
        self._guardian.stdout.close()

    async def kill(self) -> None:
        """Kill -9 the server itself, and wait until it is gone."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        await self.stop()

    def last_lines(self, count: int = 12) -> str:
        """Return the end of the log, to explain a failure."""
        with contextlib.suppress(OSError):
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
            return "\n".join([*lines, f"(from {self.log})"])
        return f"(there is no {self.log})"

    def _put_large_log_aside(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            if self.log.stat().st_size > LOG_KEPT:
                self.log.replace(self.log.with_suffix(".log.1"))


def guard(charge: guardian.Charge, variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", guardian.__file__, json.dumps(charge._asdict())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**environment(), **variables},
        start_new_session=True,  # Ctrl-C is for the owner, who stops things in order
    )


def environment() -> dict[str, str]:
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return passed_on | {"LC_ALL": "C.UTF-8", "TZ": "UTC"}
