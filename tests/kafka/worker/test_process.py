"""The process around the loop: how it starts, what it says of itself, how it ends."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.support.eventually import eventually
from tests.support.tally import Tally, TallyProjection
from worker.app import Ended, Resources, Service, serve
from worker.failures import StandBy
from worker.projection import Database
from worker.starting import NotThere
from worker.watchdog import EXIT_CODE


async def test_a_process_says_where_it_is_and_ends_when_asked(tally: Tally, tmp_path: Path) -> None:
    """Its ready file holds the address, its health and metrics mean something, and SIGTERM ends it with 0."""
    ready = tmp_path / "ready.json"
    async with tally.process(MUSTER_READY_FILE=str(ready)) as process:
        said = json.loads(await eventually(lambda: ready.exists() and ready.read_text(), timeout=20))
        assert (process.pid, "tally") == (said["pid"], said["service"])
        await tally.ask(("t1", "e1"), ("t1", "e2"))
        async with httpx.AsyncClient(base_url=said["address"]) as http:
            assert await answers(http, "/health/live", 200)
            assert await answers(http, "/health/ready", 200)
            for sentence in (
                'muster_records_total{result="event",topic="muster.requests"} 2.0',
                'muster_published_total{topic="muster.progress"} 2.0',
                'muster_lag_records{partition="0",topic="muster.requests"} 0.0',
                'muster_lag_seconds{partition="1",topic="muster.requests"} 0.0',
            ):
                await eventually(lambda said=sentence: told(http, said))
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 10) == 0


async def told(http: httpx.AsyncClient, sentence: str) -> bool:
    return sentence in (await http.get("/metrics")).text


async def test_health_tells_of_a_database_that_is_gone(
    tally: Tally, postgres_dsn: str, tmp_path: Path
) -> None:
    """Without its database a process is alive and not ready; when it is back, so is the process."""
    ready = tmp_path / "ready.json"
    async with tally.running(ready_file=ready):
        address = json.loads(await eventually(lambda: ready.exists() and ready.read_text()))["address"]
        async with httpx.AsyncClient(base_url=address) as http:
            await allow_connections(tally, postgres_dsn, "false")
            await eventually(lambda: answers(http, "/health/ready", 503))
            assert await answers(http, "/health/live", 200)
            await tally.ask(("t1", "e1"))
            await allow_connections(tally, postgres_dsn, "true")
            await eventually(lambda: answers(http, "/health/ready", 200), timeout=15)
            await eventually(lambda: tally.has(1), timeout=15)


async def allow_connections(tally: Tally, server: str, allowed: str) -> None:
    """Let nobody into the tally's database, or everybody again."""
    name = tally.settings.postgres_dsn.get_secret_value().rpartition("/")[2]
    database = await asyncpg.connect(server)
    await database.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}")
    if allowed == "false":
        await database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
        )
    await database.close()


async def answers(http: httpx.AsyncClient, path: str, status: int) -> bool:
    return (await http.get(path)).status_code == status


async def test_a_loop_that_is_stuck_ends_the_process(tally: Tally) -> None:
    """A call that blocks the event loop is noticed from outside of it, and the process ends to be started again."""
    await tally.ask(("t1", "e1", "stuck"))

    async with tally.process(MUSTER_WATCHDOG_SECONDS="2") as process:
        assert await asyncio.wait_for(process.wait(), 30) == EXIT_CODE


async def test_a_process_that_waits_for_its_group_can_be_stopped(tally: Tally) -> None:
    """Until a dead member is given up nobody gets partitions; whoever waits for that still ends in order."""
    async with tally.process(MUSTER_SESSION_SECONDS="30") as dead:
        await tally.ask(("t1", "e1"))
        await eventually(lambda: tally.has(1), timeout=20)
        dead.kill()
        await dead.wait()

    async with tally.process(asyncio.subprocess.PIPE) as waiting:
        await until_it_says(waiting, "joining")
        waiting.terminate()
        assert await asyncio.wait_for(waiting.wait(), 10) == 0


async def until_it_says(process: asyncio.subprocess.Process, words: str) -> None:
    assert process.stderr is not None
    while words.encode() not in (line := await process.stderr.readline()):
        assert line, f"it ended without a word of {words}"


async def test_a_task_that_ends_ends_the_process(tally: Tally) -> None:
    """A service whose background work is dead must not look alive."""

    async def crash() -> None:
        raise LookupError

    @asynccontextmanager
    async def compose(_: Resources) -> AsyncIterator[Service]:
        yield Service(TallyProjection(), tasks=(crash,))

    with pytest.raises(Ended, match="crash ended") as ended:
        await asyncio.wait_for(serve("tally", compose, tally.settings, asyncio.Event()), 10)
    assert isinstance(ended.value.__cause__, LookupError)


async def test_a_process_waits_for_its_servers_for_a_while(tally: Tally) -> None:
    """It does not crash at once when they are not up yet, and says in the end what it missed."""
    settings = tally.settings.model_copy(update={"topic_prefix": "nowhere.", "start_seconds": 0.5})

    with pytest.raises(NotThere, match=r"Kafka .* did not answer for 0\.5 seconds"):
        await serve("tally", tally._compose, settings, asyncio.Event())


async def test_a_projection_that_stands_by_is_let_in_when_it_fits(tally: Tally) -> None:
    """While its rules are not the live ones a process stays outside the group; then it joins by itself."""
    projection = Reluctant()
    tally.projection = projection
    await tally.ask(("t1", "e1"))

    async with tally.running():
        await eventually(lambda: projection.asked > 1)
        assert await tally.has(0)
        projection.fits = True
        await eventually(lambda: tally.has(1))


class Reluctant(TallyProjection):
    """Does not match what is live, until it does."""

    def __init__(self) -> None:
        self.fits = False
        self.asked = 0

    async def prepare(self, database: Database) -> None:
        self.asked += 1
        if not self.fits:
            raise StandBy("other rules are live")
        await super().prepare(database)


@pytest.mark.parametrize("service", ["importer", "resolver", "notifier", "portal"])
async def test_every_process_explains_itself(service: str) -> None:
    """`--help` needs neither servers nor settings."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"services.{service}", "--help", stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()

    assert process.returncode == 0
    assert f"services.{service}" in said.decode()


async def test_a_wrong_setting_is_named(tally: Tally) -> None:
    """The process ends with 1 and a line that names the variable, and not its value."""
    async with tally.process(asyncio.subprocess.PIPE, MUSTER_BATCH_RECORDS="hunter2") as process:
        _, said = await process.communicate()

    assert process.returncode == 1
    assert said.decode().startswith("MUSTER_BATCH_RECORDS: ")
    assert "hunter2" not in said.decode()
