"""The sandbox and the services as processes of a test: started, killed, stopped and started again."""

import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from stack.ports import free_port
from stack.process import ServerProcess
from worker.settings import Settings

READY_SECONDS = 60.0


class ServiceProcess:
    """A service of ours. It ends with the test's own process, whatever becomes of that."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        folder: Path,
        *,
        process_name: str | None = None,
        wrapper: Sequence[str] = (),
        **variables: str,
    ) -> None:
        """`process_name` tells two processes of one service apart; `variables` are settings of the service's own.

        A `wrapper` is a module that is given the service's to run.
        """
        self.name = process_name or name
        self._command = ("-m", *wrapper, f"services.{name}")
        self._ready = folder / f"{self.name}.ready"
        environment = {**variables_of(settings), **variables, "MUSTER_LOG_FORMAT": "json"}
        environment["MUSTER_READY_FILE"] = str(self._ready)
        self.process = ServerProcess(self.name, folder, variables=environment)

    async def launch(self) -> None:
        """Start, without waiting until it is ready."""
        self._ready.unlink(missing_ok=True)
        await self.process.start(sys.executable, *self._command)

    async def start(self) -> None:
        """Start, and return when it is ready. Raises `stack.errors.ServerFailed`."""
        await self.launch()
        await self.ready()

    async def ready(self) -> None:
        await self.process.until(self._ready.exists, READY_SECONDS)

    async def kill(self) -> None:
        """Kill -9."""
        await self.process.kill()

    async def stop(self) -> None:
        """Stop in good order."""
        await self.process.stop()

    @property
    def running(self) -> bool:
        return self.process.running

    @property
    def address(self) -> str:
        """Where its HTTP edge is."""
        return str(self.told["address"])

    @property
    def told(self) -> dict[str, Any]:
        """What it wrote when it was ready."""
        said: dict[str, Any] = json.loads(self._ready.read_text(encoding="utf-8"))
        return said


def variables_of(settings: Settings) -> dict[str, str]:
    """The environment that gives a process these settings, as far as they were set and not left as they are."""
    given = {name: getattr(settings, name) for name in sorted(settings.model_fields_set)}
    return {f"MUSTER_{name.upper()}": _text(value) for name, value in given.items()}


def _text(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


@asynccontextmanager
async def running(*services: ServiceProcess) -> AsyncIterator[None]:
    """Have services ready; they are stopped in order."""
    async with AsyncExitStack() as started:
        for each in services:
            started.push_async_callback(each.stop)
            await each.launch()
        for each in services:
            await each.ready()
        yield


@asynccontextmanager
async def running_sandbox(
    folder: Path, practices: Mapping[str, int], port: int | None = None
) -> AsyncIterator[str]:
    """The sandbox as a process; its address.

    Beside Harbour & Hill it has made-up practices of so many records, the name of each being its seed and its token.
    """
    port = port or free_port()
    address = f"http://127.0.0.1:{port}"
    process = ServerProcess("sandbox", folder)
    made_up = [f"--made-up={name}:{size}:{name}" for name, size in practices.items()]
    await process.start(sys.executable, "-m", "sandbox", "--port", str(port), *made_up)
    try:
        await process.until(lambda: _answers(address), READY_SECONDS)
        yield address
    finally:
        await process.stop()


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/sandbox/practices", timeout=1).is_success
    except httpx.TransportError:
        return False
