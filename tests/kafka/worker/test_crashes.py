"""Killed, crowded out and cut off: nothing is lost, nothing is doubled, and the order stays."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from ops.migrate import migrate
from stack.broker import Broker
from stack.kafka import EmbeddedKafka
from stack.postgres import EmbeddedPostgres
from stack.settings import StackSettings
from tests.support.eventually import eventually
from tests.support.tally import Tally, TallyProjection, prepare_tally, shortest_session
from worker.routing import partition_of


async def test_a_process_that_is_killed_at_any_moment_loses_and_doubles_nothing(tally: Tally) -> None:
    """Each record takes effect once, in order, and is answered, however often the process is killed."""
    chance = random.Random(7)
    session = str(await shortest_session(tally.settings.kafka))
    async with under_load(tally) as fed:
        for _ in range(4):
            async with tally.process(MUSTER_BATCH_RECORDS="20", MUSTER_SESSION_SECONDS=session):
                await goes_on(tally)
                await asyncio.sleep(chance.uniform(0, 0.3))
    number = len(fed)
    async with tally.running():
        await eventually(lambda: tally.has(number), timeout=40)

    await check(tally, number)


async def test_processes_that_come_and_go_share_the_work(tally: Tally) -> None:
    """At a rebalance the running batch ends first; no record is applied by two, and the order of a key stays."""
    async with tally.process(MUSTER_BATCH_RECORDS="20") as first, AsyncExitStack() as later:
        async with under_load(tally) as fed:
            await eventually(lambda: more_than(tally, 50), timeout=20)
            second = await later.enter_async_context(tally.process(MUSTER_BATCH_RECORDS="20"))
            await eventually(lambda: both_work(tally), timeout=20)
            first.terminate()
            assert await asyncio.wait_for(first.wait(), 20) == 0
            await goes_on(tally)
        number = len(fed)
        await eventually(lambda: tally.has(number), timeout=30)
        second.terminate()
        assert await asyncio.wait_for(second.wait(), 20) == 0

    await check(tally, number)
    assert len(await tally.published()) == number


async def test_a_process_joins_another_that_works_off_a_backlog(tally: Tally) -> None:
    """Whoever reads on while it works does not keep partitions from coming and going."""
    number = 20_000
    one_each = [
        next(t for t in map("t{}".format, range(100)) if partition_of(t.encode(), 2) == p) for p in (0, 1)
    ]
    for begin in range(0, number, 2_000):
        numbers = range(begin, begin + 2_000)
        await tally.ask(*((one_each[n % 2], f"e{n}", "slow" if n % 40 < 2 else "Ada") for n in numbers))
    async with tally.process(MUSTER_BATCH_RECORDS="20"):
        await eventually(lambda: more_than(tally, 50), timeout=20)
        async with tally.process(MUSTER_BATCH_RECORDS="20"):
            await eventually(lambda: both_work(tally), timeout=20)
            assert len(await tally.results()) < number, "there was no backlog any more"
            await eventually(lambda: tally.has(number), timeout=60)

    await check(tally, number)


async def test_connections_that_are_cut_are_made_again(tally: Tally) -> None:
    """A database that ends the session in the midst of it is a passing error."""
    async with tally.running(batch_records=20):
        async with under_load(tally) as fed:
            for _ in range(5):
                await goes_on(tally)
                await tally.fetch(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND application_name = 'muster-tally'"
                )
        number = len(fed)
        await eventually(lambda: tally.has(number), timeout=30)

    await check(tally, number)


@pytest.mark.parametrize("at_once", [0, 20], ids=["in_its_transaction", "before_its_statement"])
async def test_no_record_is_to_blame_for_a_session_that_ends(tally: Tally, at_once: int) -> None:
    """Between a server's last words and the end of the connection, asyncpg reports errors of many kinds."""
    tally.projection.at_once = at_once
    number = 30
    await tally.ask(*((f"t{n % 8}", f"e{n}", "cut" if n % 5 == 0 else "Ada") for n in range(number)))

    async with tally.running(batch_records=20):
        await eventually(lambda: tally.has(number), timeout=30)

    assert {each["result"] for each in await tally.results()} == {"applied"}
    assert len(tally.projection.cut) == number // 5


async def test_servers_that_are_killed_and_come_back_lose_nothing(tmp_path: Path, topic_prefix: str) -> None:
    """Postgres and Kafka are killed while records flow; the process stays, and all is there once."""
    async with own_servers(tmp_path) as (kafka, postgres):
        await migrate(postgres.dsn)
        tally = await prepare_tally(kafka.address, postgres.dsn, topic_prefix)
        number = 1200
        async with tally.running(batch_records=20):
            await feed(tally, number // 3)
            await eventually(lambda: more_than(tally, 100))
            await postgres.kill()
            await feed(tally, number // 3, since=number // 3)
            await postgres.start()
            await eventually(lambda: more_than(tally, number // 3), timeout=30)
            await kafka.kill()
            await asyncio.sleep(0.5)
            await kafka.start()
            await feed(tally, number // 3, since=2 * number // 3)
            await eventually(lambda: tally.has(number), timeout=60)

        await check(tally, number)


@asynccontextmanager
async def own_servers(folder: Path) -> AsyncIterator[tuple[EmbeddedKafka, EmbeddedPostgres]]:
    """Servers of this test's own, to be killed."""
    settings = StackSettings.from_environment()
    kafka = EmbeddedKafka(folder / "kafka", Broker(settings.programs, print, settings.maven))
    postgres = EmbeddedPostgres(folder / "postgres")
    try:
        await asyncio.gather(kafka.start(), postgres.start())
        yield kafka, postgres
    finally:
        await asyncio.gather(kafka.stop(), postgres.stop())


async def feed(tally: Tally, number: int, since: int = 0) -> None:
    """Publish requests of eight tenants over a while."""
    for begin in range(since, since + number, 50):
        await tally.ask(*((f"t{n % 8}", f"e{n}") for n in range(begin, min(begin + 50, since + number))))
        await asyncio.sleep(0.01)


@asynccontextmanager
async def under_load(tally: Tally) -> AsyncIterator[list[str]]:
    """Publish requests of eight tenants until the block ends; their ids, as far as they are published."""
    fed: list[str] = []
    enough = asyncio.Event()

    async def keep_feeding() -> None:
        while not enough.is_set():
            numbers = range(len(fed), len(fed) + 25)
            await tally.ask(*((f"t{n % 8}", f"e{n}") for n in numbers))
            fed.extend(f"e{n}" for n in numbers)
            await asyncio.sleep(0.1)

    feeding = asyncio.create_task(keep_feeding())
    try:
        yield fed
    finally:
        enough.set()
        await feeding


async def goes_on(tally: Tally) -> None:
    """Wait until something more is applied."""
    applied = len(await tally.results())
    await eventually(lambda: more_than(tally, applied), timeout=40)


async def more_than(tally: Tally, number: int) -> bool:
    return len(await tally.results()) > number


async def both_work(tally: Tally) -> bool:
    """Whether two processes have taken up all their connections, as each does with its first batch."""
    sessions = await tally.fetch(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'muster-tally'"
    )
    return len(sessions) == 2 * TallyProjection.lanes


async def check(tally: Tally, number: int) -> None:
    """Each record once and in order; each answered, in the order of first answers."""
    places = await tally.places()
    assert number == len(places)
    assert number == len(set(places))
    results = await tally.results()
    published = await tally.published()
    for tenant_id in {each["tenant_id"] for each in results}:
        applied = [each for each in results if each["tenant_id"] == tenant_id]
        assert applied == sorted(applied, key=lambda each: int(each["event_id"][1:]))
        answers = [each.value for each in published if each.key == tenant_id.encode()]
        assert [each["answer"] for each in applied] == list(dict.fromkeys(answers))
