"""Everything that is published while parts are killed: made-up journals, practices at work, and rubbish in between."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from schemas.fields import timestamp
from tests.support.chaos.composed import composed
from tests.support.chaos.known import Known
from tests.support.chaos.office import Office
from tests.support.chaos.post import Post, Sending
from tests.support.chaos.rubbish import rubbish
from tests.support.chaos.world import World

PRACTICES = {"birch": 30, "cedar": 30}
NOT_CONNECTED = "nowhere"
STEPS = 90
"""Of a made-up journal; with more of them the model takes ever longer for each record."""
RECORDS_PER_SECOND = 12.0
"""Of each stream and each office."""
STREAMS = 2
"""Made-up journals at once."""


class Load:
    """Goes on until `over` is set; then everything that was begun is finished."""

    def __init__(self, world: World, post: Post, seed: int) -> None:
        self.over = asyncio.Event()
        self._world = world
        self._post = post
        self._seed = seed
        self._dice = random.Random(seed)
        self._started_at = timestamp(int(time.time() * 1000))
        self._streams = 0

    async def run(self) -> None:
        known = Known(self._world.settings)
        following = asyncio.create_task(known.follow())
        try:
            async with (
                httpx.AsyncClient(base_url=self._world.sandbox) as sandbox,
                asyncio.TaskGroup() as all_of_it,
            ):
                for tenant_id in (*PRACTICES, NOT_CONNECTED):
                    all_of_it.create_task(self._office(tenant_id, sandbox, known))
                for _ in range(STREAMS):
                    all_of_it.create_task(self._journals())
                all_of_it.create_task(self._rubbish())
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _office(self, tenant_id: str, sandbox: httpx.AsyncClient, known: Known) -> None:
        office = Office(
            tenant_id,
            self._world.practices.get(tenant_id),
            sandbox,
            self._post,
            known,
            random.Random(f"{self._seed} {tenant_id}"),
        )
        await office.open()
        await office.work(self.over, RECORDS_PER_SECOND)

    async def _journals(self) -> None:
        dice = random.Random(self._dice.random())
        while not self.over.is_set():
            number, self._streams = self._streams, self._streams + 1
            made = await asyncio.to_thread(self._composed, dice.randrange(2**31), number)
            for each in made:
                if self.over.is_set():
                    return
                await self._post.send(each)
                await asyncio.sleep(dice.expovariate(RECORDS_PER_SECOND))

    def _composed(self, seed: int, number: int) -> list[Sending]:
        return list(composed(seed, STEPS, number, self._started_at))

    async def _rubbish(self) -> None:
        """All of it, however soon the rest is over."""
        dice = random.Random(self._dice.random())
        tenants = [*PRACTICES, NOT_CONNECTED, "north-0", "south-1"]
        for each in rubbish(dice, tenants, self._world.settings):
            await self._post.send(each)
            await asyncio.sleep(dice.expovariate(RECORDS_PER_SECOND / 3))


@asynccontextmanager
async def loading(load: Load) -> AsyncIterator[None]:
    """Under load while inside; what was begun is finished on leaving."""
    running = asyncio.create_task(load.run())
    try:
        yield
    finally:
        load.over.set()
        await running
