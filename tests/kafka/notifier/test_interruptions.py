"""Ten thousand progress events, with the dashboards cut off and the notifier killed at random."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Self

import httpx
import orjson
import pytest
from aiokafka.structs import ConsumerRecord

from tests.support.eventually import eventually
from tests.support.watching.running import Notifier
from tests.support.watching.sse import Dashboard
from tests.support.watching.story import request

TENANTS = ["birch", "cedar", "elder"]
EVENTS = 10_000
WAVE = 500
KILLS = 4


@pytest.mark.timeout(300)
async def test_nothing_is_lost_to_whoever_comes_back(notifier: Notifier) -> None:
    """After dropping repeats by id each dashboard has heard every event of its tenant, once, in order, and no other."""
    dice = random.Random(20261123)
    dashboards = [Dashboard(tenant) for tenant in TENANTS]
    async with Keeper(notifier) as keeper, watched_with_cuts(dashboards, notifier, dice) as calm:
        await eventually(lambda: all(each.of("snapshot") for each in dashboards), timeout=60)
        killing = asyncio.create_task(keeper.kill_at_random(dice))
        await publish(notifier)
        await eventually(lambda: _rows_published(notifier, EVENTS), timeout=180, interval=1)
        await killing
        calm.set()
        records = await notifier.published()
        await eventually(
            lambda: all(heard_all(each, records) for each in dashboards), timeout=60, interval=0.5
        )

    for each in dashboards:
        assert [heard.event for heard in each.heard if heard.event != "progress"] == ["snapshot"]
        assert heard_once(each) == told_to(each.tenant, records)
        assert each.connections > KILLS
    assert sum(len(rows_of(each.of("progress"))) for each in dashboards) == EVENTS


class Keeper:
    """Whoever runs the process: starts it again when it is gone."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self._start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._kill()

    async def kill_at_random(self, dice: random.Random) -> None:
        for _ in range(KILLS):
            await asyncio.sleep(dice.uniform(1, 5))
            await self._kill()
            await self._start()

    async def _start(self) -> None:
        self._process = await self._notifier.start_process()
        await eventually(self._notifier.is_ready, timeout=60)

    async def _kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def watched_with_cuts(
    dashboards: list[Dashboard], notifier: Notifier, dice: random.Random
) -> AsyncIterator[asyncio.Event]:
    """Let dashboards listen, and cut them off in the middle of whatever is being sent, until it is calm."""
    calm = asyncio.Event()

    async def watch(dashboard: Dashboard) -> None:
        while True:
            with suppress(httpx.TransportError, TimeoutError):
                async with asyncio.timeout(None if calm.is_set() else dice.uniform(0.2, 4)):
                    await dashboard.listen(notifier.address)
            await asyncio.sleep(0.05)

    tasks = [asyncio.create_task(watch(each)) for each in dashboards]
    try:
        yield calm
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def publish(notifier: Notifier) -> None:
    """Each request makes a row of its own and so an event."""
    async with notifier.producing() as producer:
        for begin in range(0, EVENTS, WAVE):
            wave = range(begin, begin + WAVE)
            await notifier.send(
                producer, [request(f"i{number}", tenant=TENANTS[number % len(TENANTS)]) for number in wave]
            )


def told_to(tenant: str, records: list[ConsumerRecord]) -> list[tuple[str, object]]:
    """What is on the topic for the tenant, in order."""
    return [
        (f"{each.partition}-{each.offset}", orjson.loads(each.value)["data"])
        for each in records
        if each.key == tenant.encode()
    ]


def heard_once(dashboard: Dashboard) -> list[tuple[str, object]]:
    """What the dashboard heard, without what it heard before."""
    return list({each.id: (each.id, each.data) for each in reversed(dashboard.of("progress"))}.values())[::-1]


def heard_all(dashboard: Dashboard, records: list[ConsumerRecord]) -> bool:
    return len(heard_once(dashboard)) >= len(told_to(dashboard.tenant, records))


def rows_of(heard: list) -> set[str]:
    return {each.data["row_id"] for each in heard}


async def _rows_published(notifier: Notifier, wanted: int) -> bool:
    return len({orjson.loads(each.value)["data"]["row_id"] for each in await notifier.published()}) >= wanted
