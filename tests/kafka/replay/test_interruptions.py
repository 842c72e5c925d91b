"""A replay that is broken off, and a swap in which whatever it needs goes away."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from ops.ending import Exit
from stack.broker import Broker
from stack.kafka import EmbeddedKafka
from stack.settings import StackSettings
from tests.support.eventually import eventually
from tests.support.procfs import children_of
from tests.support.replaying.evidence import check_the_tables, check_what_was_told, gather
from tests.support.replaying.place import Place, replaying_place, up

WRONG = "1,refuses_ignoring,breaks"
MENDED = "2"


async def test_a_replay_is_broken_off_by_ctrl_c_and_gone_on_with(place: Place):
    """It ends at once and says so; what was folded is kept, and the next run goes on from there."""
    await place.fill(40, seed=31)
    async with up(place.service("resolver", WRONG)):
        await place.rests()
    begun = await place.start_command(f"{MENDED},pauses_folding", "replay", "--swap", "--jobs", "1")
    await eventually(lambda: _has_folded(place))
    begun.send_signal(signal.SIGINT)
    _, aside = await begun.communicate()
    again = await place.command(MENDED, "replay", "--jobs", "1", "--json")

    assert begun.returncode == Exit.INTERRUPTED, aside.decode()
    assert "Interrupted. The next run says where things stand." in aside.decode()
    assert (again.code, again.document["resumed"]) == (Exit.ATTENTION, True), again.aside
    assert await place.live() == "resolver_g1"


async def test_ctrl_c_is_no_affair_of_the_processes_that_fold(place: Place):
    """A terminal sends it to all of them, also to those that have only just been started: they go on."""
    await place.fill(40, seed=32)
    async with up(place.service("resolver", "1")):
        await place.rests()
    begun = await place.start_command("1", "replay", "--jobs", "4")
    ending, reached = asyncio.create_task(begun.communicate()), set[int]()
    while not ending.done():
        for each in children_of(begun.pid):
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGINT)
                reached.add(each)
        await asyncio.sleep(0.01)
    _, aside = await ending

    assert len(reached) >= 4
    assert begun.returncode == Exit.DONE, aside.decode()


async def _has_folded(place: Place) -> bool:
    async with place.database() as database:
        if await database.fetchval("SELECT to_regclass('resolver_g2.positions') IS NULL"):
            return False
        return bool(await database.fetchval("SELECT sum(applied_to) > 0 FROM resolver_g2.positions"))


@pytest.fixture
async def brittle(database: str, tmp_path: Path) -> AsyncIterator[tuple[Place, EmbeddedKafka]]:
    """A place on a broker of its own, which may be killed."""
    settings = StackSettings.from_environment()
    kafka = EmbeddedKafka(tmp_path / "kafka", Broker(settings.programs, lambda _: None, settings.maven))
    await kafka.start()
    try:
        async with replaying_place(kafka.address, database, tmp_path) as place:
            yield place, kafka
    finally:
        await kafka.stop()


async def test_broker_and_resolver_are_killed_in_the_middle_of_a_swap(
    brittle: tuple[Place, EmbeddedKafka], tmp_path: Path
):
    """The swap is Postgres's; what it has to publish goes out when the broker is back, each of it once."""
    place, kafka = brittle
    await place.fill(40, seed=32)
    resolver = place.service("resolver", WRONG)
    gate = tmp_path / "gate"
    async with up(resolver):
        await place.rests()
        swapping = await place.start_command(
            f"{MENDED},pauses_before_commit", "replay", "--swap", "--jobs", "1", gate=gate
        )
        await eventually(gate.with_suffix(".reached").exists)
        await resolver.kill()
        await kafka.kill()
        gate.with_suffix(".open").touch()
        _, aside = await swapping.communicate()
    await kafka.start()
    status = await place.command(MENDED, "replay", "--status", "--json")
    async with up(place.service("resolver", MENDED, called="mended")):
        await place.rests()
        evidence = await gather(place)

    assert swapping.returncode == Exit.UNREACHABLE, aside.decode()
    assert status.document["live"]["generation"] == 2
    assert status.document["to_publish"] > 0
    check_the_tables(evidence)
    check_what_was_told(evidence)
