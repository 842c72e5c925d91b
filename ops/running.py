"""Muster's processes on one machine: the sandbox and the services, each started again when it ends."""

import asyncio
import json
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from ops.demo.connecting import Importer
from sandbox import harbour
from sandbox.oauth import Application
from stack.ports import free_port, listens
from stack.process import ServerProcess
from stack.settings import Addresses

SERVICES = ("importer", "resolver", "notifier", "portal")
READY_SECONDS = 60.0
QUICK_END_SECONDS = 10.0
"""A process that ends sooner than this after its start is not started again at once."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Running:
    """Where everything can be reached."""

    sandbox: str
    services: Mapping[str, str]
    importer: Importer


class Supervised:
    """A process that is up until it is no longer wanted: when it ends by itself it is started again."""

    def __init__(
        self, name: str, command: list[str], variables: Mapping[str, str], logs: Path, tell: Tell
    ) -> None:
        self.name = name
        self.process = ServerProcess(name, logs, variables=variables)
        self._command = command
        self._tell = tell

    async def start(self) -> None:
        await self.process.start(sys.executable, "-m", *self._command)

    async def watch(self) -> None:
        """Start it again whenever it ends; runs until cancelled."""
        started = time.monotonic()
        while True:
            await asyncio.sleep(0.2)
            if self.process.running:
                continue
            if time.monotonic() - started < QUICK_END_SECONDS:
                await asyncio.sleep(1)
            self._tell(
                f"{self.name} ended and is started again; its last lines:\n{self.process.last_lines(3)}"
            )
            started = time.monotonic()
            await self.start()


@asynccontextmanager
async def everything(
    addresses: Addresses, tenant_id: str, folder: Path, tell: Tell
) -> AsyncIterator[Running]:
    """The sandbox and the services, ready; they end, in order, with this. Raises `stack.errors.ServerFailed`."""
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    sandbox_port = free_port()
    sandbox = f"http://127.0.0.1:{sandbox_port}"
    variables = {
        **{name: value for name, value in os.environ.items() if name.startswith("MUSTER_")},
        **addresses.environment(),
        "MUSTER_LOG_FORMAT": "json",
        "MUSTER_SESSION_SECONDS": "6",  # a service that is killed goes on as soon as brokers allow
        **credentials_for(sandbox),
        "MUSTER_XPM_PRACTICE_SHARED": "true",  # by the tenants of former runs
        "MUSTER_XPM_CALLS_A_MINUTE": "100000",  # as the sandbox allows by default
        "MUSTER_XPM_CALLS_A_DAY": "10000000",
        "MUSTER_XPM_MIRROR_FRESH_SECONDS": "0.01",  # the story imports, changes XPM and imports in a tenth of a second
        "MUSTER_DEMO": "true",
        "MUSTER_DEMO_USERS": json.dumps(_users(tenant_id)),
    }
    ready = {name: logs / f"{name}.ready" for name in SERVICES}
    for path in ready.values():
        path.unlink(missing_ok=True)
    processes = [Supervised("sandbox", ["sandbox", "--port", str(sandbox_port)], {}, logs, tell)]
    ports = {name: free_port() for name in SERVICES}
    internal_token = secrets.token_hex(32)
    variables |= {
        "MUSTER_SESSION_KEY": secrets.token_hex(32),
        "MUSTER_INTERNAL_TOKEN": internal_token,
        "MUSTER_XPM_REDIRECT_URL": f"http://127.0.0.1:{ports['importer']}/oauth/callback",
        "MUSTER_IMPORTER_URL": f"http://127.0.0.1:{ports['importer']}",
        "MUSTER_NOTIFIER_URL": f"http://127.0.0.1:{ports['notifier']}",
    }
    for name in SERVICES:
        own = {"MUSTER_READY_FILE": str(ready[name]), "MUSTER_HTTP_PORT": str(ports[name])}
        processes.append(Supervised(name, [f"services.{name}"], {**variables, **own}, logs, tell))
    async with AsyncExitStack() as running:
        running.push_async_callback(_stop_all, processes)
        await asyncio.gather(*(each.start() for each in processes))
        await asyncio.gather(
            processes[0].process.until(
                lambda: listens(processes[0].process.pid, sandbox_port), READY_SECONDS
            ),
            *(each.process.until(ready[each.name].exists, READY_SECONDS) for each in processes[1:]),
        )
        watching = [asyncio.create_task(each.watch()) for each in processes]
        running.callback(lambda: [task.cancel() for task in watching])
        found = {
            name: json.loads(path.read_text(encoding="utf-8"))["address"] for name, path in ready.items()
        }
        yield Running(sandbox, found, Importer(found["importer"], SecretStr(internal_token)))


async def _stop_all(processes: Sequence[Supervised]) -> None:
    await asyncio.gather(*(each.process.stop() for each in processes))


def credentials_for(sandbox: str) -> dict[str, str]:
    """The importer's settings for a sandbox in the place of Xero, which takes it for the application it knows."""
    application = Application()
    return {
        "MUSTER_XPM_URL": sandbox,
        "MUSTER_XPM_AUTHORIZE_URL": f"{sandbox}/identity/connect/authorize",
        "MUSTER_XPM_TOKEN_URL": f"{sandbox}/connect/token",
        "MUSTER_XPM_REVOCATION_URL": f"{sandbox}/connect/revocation",
        "MUSTER_XPM_CLIENT_ID": application.client_id,
        "MUSTER_XPM_CLIENT_SECRET": application.client_secret,
    }


def _users(tenant_id: str) -> list[dict[str, str]]:
    """Who may sign in to the console: two of the staff, and one who only looks."""
    of_practice = {"tenant_id": tenant_id, "practice": harbour.NAME}
    return [
        {"username": "anna", "name": "Anna Lindqvist", "role": "staff", **of_practice},
        {"username": "ben", "name": "Ben Okoye", "role": "staff", **of_practice},
        {"username": "rita", "name": "Rita Moss", "role": "read_only", **of_practice},
    ]
