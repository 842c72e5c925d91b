"""Processes that do nothing but call XPM as fast as the shared quota lets them.

`python -m tests.support.importing.calling` is one of them: it reads what it needs from a JSON object in its only
argument, and calls until its standard input is closed.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import asyncpg
import httpx

from sandbox.app import sandbox_app
from sandbox.harbour import NORTHLIGHT, harbour_practice
from sandbox.quota import Limits
from sandbox.server import running
from sandbox.state import Sandbox, Tenancy
from services.importer.app import quota_rules
from services.importer.quota.ledger import Ledger
from services.importer.quota.tolls import Tolls
from services.importer.settings import ImporterSettings
from services.importer.xpm.api import Xpm
from services.importer.xpm.calls import Access
from services.importer.xpm.errors import Throttled

PRACTICE, TOKEN = "the-practice", "a-token"
AT_ONCE = 3
"""Calls that each process would like to make at once."""


@dataclass(frozen=True)
class Told:
    """What a process is told."""

    url: str
    dsn: str
    minute_seconds: float
    calls_a_day: int

    def settings(self) -> ImporterSettings:
        return ImporterSettings(
            xpm_minute_seconds=self.minute_seconds,
            xpm_day_seconds=self.minute_seconds * 1440,
            xpm_calls_a_day=self.calls_a_day,
        )


@asynccontextmanager
async def called_by(processes: int, dsn: str, limits: Limits) -> AsyncIterator[Sandbox]:
    """A sandbox that these processes call until the block ends; `dsn` is a migrated database."""
    sandbox = Sandbox([Tenancy(PRACTICE, TOKEN, harbour_practice())], limits)
    async with running(sandbox_app(sandbox)) as url, AsyncExitStack() as started:
        told = Told(url, dsn, limits.minute_seconds, limits.day)
        for _ in range(processes):
            await started.enter_async_context(_process(told))
        yield sandbox


@asynccontextmanager
async def _process(told: Told) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, json.dumps(vars(told)), stdin=asyncio.subprocess.PIPE
    )
    try:
        yield
    finally:
        assert process.stdin is not None
        process.stdin.close()
        assert await process.wait() == 0


async def _main(told: Told) -> None:
    session = {"role": "muster_importer", "search_path": "importer"}
    async with (
        asyncpg.create_pool(told.dsn, min_size=1, max_size=4, server_settings=session) as pool,
        httpx.AsyncClient() as http,
        Tolls(Ledger(pool, quota_rules(told.settings()))) as tolls,
    ):
        xpm = Xpm(http, Access(TOKEN, PRACTICE, told.url), road=tolls.road("import"))
        calling = [asyncio.create_task(_call(xpm)) for _ in range(AT_ONCE)]
        await asyncio.to_thread(sys.stdin.read)
        for task in calling:
            task.cancel()
        ended = await asyncio.gather(*calling, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) for each in ended), ended


async def _call(xpm: Xpm) -> None:
    while True:
        try:
            await xpm.read_client(NORTHLIGHT)
        except Throttled as parked:
            await asyncio.sleep(parked.retry_after)


if __name__ == "__main__":
    asyncio.run(_main(Told(**json.loads(sys.argv[1]))))
