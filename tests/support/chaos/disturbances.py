"""What goes wrong: services are killed while they work, processes come and go, servers are stopped and killed."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import asyncpg

from tests.support.chaos.world import World
from worker.database import TROUBLE

LONGEST_WAIT_SECONDS = 8.0
"""A service that has nothing to do, or can do nothing, is killed all the same."""

SIGNS = """
CREATE FUNCTION public.tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('committed', TG_ARGV[0]);
    RETURN NULL;
END
$$;
CREATE TRIGGER stored AFTER UPDATE ON importer.requests FOR EACH ROW
    WHEN (OLD.status = 'queued' AND NEW.status = 'stored') EXECUTE FUNCTION public.tell('importer');
CREATE TRIGGER applied AFTER UPDATE ON resolver_g1.positions FOR EACH ROW
    WHEN (OLD.applied_to < NEW.applied_to) EXECUTE FUNCTION public.tell('resolver');
CREATE TRIGGER applied AFTER UPDATE ON notifier.positions FOR EACH ROW
    WHEN (OLD.applied_to < NEW.applied_to) EXECUTE FUNCTION public.tell('notifier');
"""
"""Have the database tell when a service has committed something that it has not published yet."""

SERVICES = ("importer", "resolver", "notifier")

Disturbance = Callable[[World, random.Random], Awaitable[None]]


@asynccontextmanager
async def just_committed(world: World, service: str) -> AsyncIterator[None]:
    """Inside, the service has just committed something; or has had nothing to commit for a while."""

    def listen(_connection: object, _pid: int, _channel: str, who: object) -> None:
        if who == service:
            committed.set()

    committed = asyncio.Event()
    database = None
    with contextlib.suppress(*TROUBLE):
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            database = await asyncpg.connect(world.dsn)
            await database.add_listener("committed", listen)
            await committed.wait()
    try:
        yield
    finally:
        if database is not None:
            database.terminate()


def kill(service: str) -> Disturbance:
    async def disturb(world: World, dice: random.Random) -> None:
        async with just_committed(world, service):
            await asyncio.sleep(dice.choice((0, 0, dice.uniform(0, 0.2))))
            await world.minders[service].kill(down_for=dice.uniform(0, 0.5))

    return disturb


async def second_resolver(world: World, dice: random.Random) -> None:
    """Another one joins, and after a while leaves in good order or is killed: two rebalances."""
    another = world.another("resolver")
    await another.launch()
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                await another.ready()
        async with just_committed(world, "resolver"):
            await asyncio.sleep(dice.uniform(0, 1))
            if dice.random() < 0.5:
                await another.kill()
    finally:
        await another.stop()


async def freeze_resolver(world: World, dice: random.Random) -> None:
    """It stops in the midst of its work until another one has its partitions, and then goes on as if nothing were."""
    another = world.another("resolver")
    await another.launch()
    pid = world.minders["resolver"].service.process.pid
    try:
        async with just_committed(world, "resolver"):
            os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(world.settings.session_seconds + dice.uniform(1, 3))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        await another.stop()


async def restart_postgres(world: World, _: random.Random) -> None:
    await world.postgres.stop()
    await world.postgres.start()


async def kill_postgres(world: World, dice: random.Random) -> None:
    async with just_committed(world, dice.choice(SERVICES)):
        await world.postgres.kill()
    await world.postgres.start()


async def restart_kafka(world: World, _: random.Random) -> None:
    await world.kafka.stop()
    await world.kafka.start()


async def kill_kafka(world: World, dice: random.Random) -> None:
    """And with it, at times, whoever had just committed something and can't publish it now."""
    service = dice.choice(SERVICES)
    async with just_committed(world, service):
        await world.kafka.kill()
    if dice.random() < 0.5:
        await asyncio.sleep(dice.uniform(0, 0.5))
        await world.minders[service].kill(down_for=0)
    await world.kafka.start()


LANES: Sequence[Sequence[Disturbance]] = (
    (kill("resolver"), second_resolver, freeze_resolver),
    (kill("importer"), kill("importer")),
    (kill("notifier"), kill("notifier")),
    (restart_postgres, kill_postgres, restart_kafka, kill_kafka),
)
"""What goes wrong one after the other; the lanes go on at the same time."""


async def disturb(world: World, dice: random.Random, seconds: float) -> None:
    """Everything in every lane at least once, in any order, and then more of it until the time is over."""
    until = time.monotonic() + seconds
    async with world.database() as database:
        await database.execute(SIGNS)
    async with asyncio.TaskGroup() as lanes:
        for disturbances in LANES:
            lanes.create_task(_lane(world, random.Random(dice.random()), disturbances, until))


async def _lane(world: World, dice: random.Random, disturbances: Sequence[Disturbance], until: float) -> None:
    for each in dice.sample(disturbances, len(disturbances)):
        await each(world, dice)
        await asyncio.sleep(dice.uniform(0, 1))
    while time.monotonic() < until:
        await dice.choice(disturbances)(world, dice)
        await asyncio.sleep(dice.uniform(0, 3))
