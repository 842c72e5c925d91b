"""The swap, with everything going on: whoever reads, decides, publishes or is killed meanwhile."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import asyncpg
import pytest

from ops.audit import operator_connection, unfinished
from ops.broker import asking
from ops.deadletters.choice import Choice
from ops.deadletters.scanning import scan
from ops.deadletters.standing import standings
from ops.voice import Steps
from services.resolver.replaying.comparing import checksums
from tests.support import stack
from tests.support.eventually import eventually
from tests.support.replaying.evidence import (
    check_progress,
    check_progress_is_the_tables,
    check_the_tables,
    check_what_was_told,
    gather,
)
from tests.support.replaying.place import Place, up

WRONG = "1,refuses_ignoring,breaks"
MENDED = "2"
TENANT = "north-0"
BREATH_SECONDS = 0.2
"""Between two portions of the load, or making it up would take the processor that the replay needs."""


@dataclass
class Reader:
    """Looks at the readers' views all the time, as a portal does, and remembers what it saw."""

    dsn: str
    counts: list[int] = field(default_factory=list)
    longest: float = 0.0

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        over = asyncio.Event()
        task = asyncio.create_task(self._read(over))
        try:
            yield
        finally:
            over.set()
            await task

    async def _read(self, over: asyncio.Event) -> None:
        database = await asyncpg.connect(self.dsn, server_settings={"role": "muster_reader"})
        try:
            while not over.is_set():
                began = time.monotonic()
                async with database.transaction(readonly=True):
                    await database.execute("SELECT set_config('muster.tenant_id', $1, true)", TENANT)
                    self.counts.append(await database.fetchval("SELECT count(*) FROM resolver.items"))
                self.longest = max(self.longest, time.monotonic() - began)
                await asyncio.sleep(0.005)
        finally:
            await database.close()


@asynccontextmanager
async def load(place: Place) -> AsyncIterator[None]:
    """Records arrive while inside; the last of them after it."""
    over = asyncio.Event()

    async def publish() -> None:
        seed = 100
        while not over.is_set():
            seed += 1
            await place.fill(15, seed=seed)
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), BREATH_SECONDS)

    task = asyncio.create_task(publish())
    try:
        yield
    finally:
        over.set()
        await task


async def test_a_mended_release_heals_under_load_what_a_wrong_one_has_done(place: Place):
    """The release stands by; `verify` finds the wrong rows, the dry run shows them, the swap heals them.

    Live commands arrive throughout: afterwards the tables are the model's, every outcome and progress id is out, no id
    has two contents, and no reader has seen a table that was empty or half built.
    """
    await place.fill(100, seed=8)  # in which each kind of defect leaves something, whatever the load brings
    wrong, mended = place.service("resolver", WRONG), place.service("resolver", MENDED, called="mended")
    async with up(wrong, place.service("notifier", "1")):
        await place.rests()
        reader = Reader(place.settings.postgres_dsn.get_secret_value())
        async with load(place), up(mended), reader.reading():
            await place.until(mended, "standing_by")
            verified = await place.command(MENDED, "verify", "--json")
            shown = await place.command(MENDED, "replay", "--json", "--examples", "100")
            swapped = await place.command(MENDED, "replay", "--swap", "--json", "--jobs", "2")
            await place.until(mended, "consuming")
            await place.until(wrong, "standing_by")
        async with up(place.service("resolver", MENDED, called="again")):
            await place.rests()
            evidence = await gather(place)
            verified_again = await place.command(MENDED, "verify", "--json")

    assert (verified.code, verified.document["identical"]) == (1, False), verified.aside
    _shows_what_is_wrong(shown.document)
    assert swapped.code == 0, swapped.aside
    assert swapped.document["swap"]["number"] == 1
    assert swapped.document["published"] > 0
    assert reader.counts == sorted(reader.counts)
    assert reader.counts[0] > 0
    assert (verified_again.code, verified_again.document["identical"]) == (0, True), verified_again.document
    check_the_tables(evidence)
    check_what_was_told(evidence)
    check_progress(evidence)
    check_progress_is_the_tables(evidence)


def _shows_what_is_wrong(document) -> None:
    """The answer of an ignored item and of a record that broke, and the state of an item, column by column."""
    columns = [each["columns"] for each in document["examples"]]
    results = {(each["result"]["live"], each["result"]["replayed"]) for each in columns if "result" in each}
    states = {(each["state"]["live"], each["state"]["replayed"]) for each in columns if "state" in each}
    assert {("rejected", "applied"), ("failed", "applied")} <= results
    assert ("pending", "ignored") in states
    assert document["to_publish"]["answers"] > 0


@pytest.mark.parametrize(
    "dies", ["dies_folding", "dies_comparing", "dies_before_commit", "dies_after_commit", "dies_publishing"]
)
async def test_a_replay_that_is_killed_breaks_nothing(place: Place, dies: str):
    """At any place: the next run says where things stand and goes on, and everything is told once."""
    await place.fill(60, seed=6)
    async with up(place.service("resolver", WRONG)):
        await place.rests()
    killed = await place.command(f"{MENDED},{dies}", "replay", "--swap", "--jobs", "1")
    status = await place.command(MENDED, "replay", "--status", "--json")
    again = await place.command(MENDED, "replay", "--swap", "--jobs", "1")
    async with up(place.service("resolver", MENDED), place.service("notifier", "1")):
        await place.rests()
        evidence = await gather(place)

    committed = dies in ("dies_after_commit", "dies_publishing")
    assert killed.code == 9, killed.aside
    assert ("Swap 1 has taken place: generation 2 is live." in killed.aside) == committed
    assert await unfinished(place.settings) == []
    assert status.document["live"]["generation"] == (2 if committed else 1)
    assert (status.document["to_publish"] > 0) == committed
    assert again.code == 0, again.aside
    if committed:
        assert "outcomes that swap 1 had left" in again.aside
    else:
        assert "Generation 2 was begun by an earlier replay" in again.aside
    check_the_tables(evidence)
    check_what_was_told(evidence)


async def test_a_resolver_publishes_what_a_killed_swap_has_left(place: Place):
    """Nobody has to run anything for that."""
    await place.fill(60, seed=7)
    async with up(place.service("resolver", WRONG)):
        await place.rests()
    await place.command(f"{MENDED},dies_after_commit", "replay", "--swap")
    async with up(place.service("resolver", MENDED), place.service("notifier", "1")):
        await place.rests()
        evidence = await gather(place)

    check_the_tables(evidence)
    check_what_was_told(evidence)


async def test_back_again_and_back_once_more(place: Place):
    """The generation that was live before is caught up and live again, under a number that has grown; and back.

    A dead letter needs nothing more as long as a release is live that decides its record, and is open as long as not.
    """
    await place.fill(60, seed=8)
    async with up(place.service("resolver", WRONG)):
        await place.rests()
    broken = await _open_letters(place)
    first = await place.command(MENDED, "replay", "--swap", "--json")
    left = await _open_letters(place)
    async with up(place.service("resolver", MENDED)):
        await place.fill(20, seed=34)
        await place.rests()
    refused = await place.command(MENDED, "replay", "--back", "--swap")
    back = await place.command(WRONG, "replay", "--back", "--swap", "--json")
    broken_again = await _open_letters(place)
    async with up(place.service("resolver", WRONG)):
        await place.fill(20, seed=10)
        await place.rests()
        verified = await place.command(WRONG, "verify", "--json")
    forth = await place.command(MENDED, "replay", "--back", "--swap", "--json")
    async with up(place.service("resolver", MENDED), place.service("notifier", "1")):
        await place.rests()
        evidence = await gather(place)
        verified_again = await place.command(MENDED, "verify", "--json")

    assert broken
    assert first.document["letters"] == {"kept": 0, "replayed": len(broken)}, first.aside
    assert left == set()
    assert broken_again > broken
    assert back.document["letters"] == {"kept": len(broken_again), "replayed": 0}, back.aside
    assert await _open_letters(place) == set()
    assert refused.code == 3
    assert "would miss" in refused.aside
    assert "north-1" in refused.aside
    assert (back.code, back.document["swap"]["number"]) == (0, 2), back.aside
    assert (verified.code, verified.document["identical"]) == (0, True)
    assert (forth.code, forth.document["swap"]["number"]) == (0, 3), forth.aside
    assert verified_again.code == 0
    check_the_tables(evidence)
    check_what_was_told(evidence)


async def _open_letters(place: Place) -> set[str]:
    """Of the records on which the resolver broke."""
    choice = Choice(why="failed")
    async with asking(place.settings) as broker, operator_connection(place.settings) as database:
        known = await standings(database)
        portions = scan(place.settings, broker, choice, known, Steps())
        return {letter.id async for letters in portions for letter in letters}


async def test_a_resolver_with_the_same_rules_follows_without_leaving(place: Place):
    """A swap under the same rules: the process goes over by itself, idle or not."""
    await place.fill(30, seed=11)
    resolver = place.service("resolver", "1")
    async with up(resolver):
        await place.rests()
        swapped = await place.command("1", "replay", "--swap", "--json")
        await place.fill(30, seed=12)
        await place.rests()

    assert swapped.document["identical"]
    assert swapped.document["published"] == 0
    assert "standing_by" not in resolver.process.log.read_text()
    check_the_tables(await gather(place))


async def test_a_verification_that_finds_nothing_lets_a_release_take_over(place: Place):
    """The same tables count as folded by its rules; the other release stands by. What differs is not taken over."""
    await place.fill(120, seed=2)
    async with up(place.service("resolver", "1")):
        await place.rests()
    taken = await place.command("2", "verify", "--take-over", "--json")
    refused = await place.command("3,archives", "verify", "--take-over", "--json")
    standing_by, joining = place.service("resolver", "1"), place.service("resolver", "2", called="second")
    async with up(standing_by, joining):
        await place.until(standing_by, "standing_by")
        await place.until(joining, "consuming")

    assert (taken.code, taken.document["took_over"]) == (0, True)
    assert (refused.code, refused.document["took_over"]) == (1, False)


async def test_a_lost_database_comes_back_from_the_topics(place: Place, postgres_dsn, stack_folder, tmp_path):
    """An empty one gives the same tables, and the last 72 hours are told again, so that progress comes back too."""
    await place.fill(150, seed=14)
    async with up(place.service("resolver", "1"), place.service("notifier", "1")):
        await place.rests()
        await eventually(lambda: _shows_everything(place), interval=0.5)
        before = await gather(place)
    async with place.database() as database:
        sums = await checksums(database, "resolver_g1")
    template = await stack.migrated_template(postgres_dsn, stack_folder)
    async with stack.fresh_database(postgres_dsn, template) as dsn:
        other = place.on_another_database(dsn)
        restored = await other.command("1", "replay", "--swap", "--json")
        async with up(other.service("resolver", "1"), other.service("notifier", "1")):
            await other.rests()
            await eventually(lambda: _shows_everything(other), interval=0.5)
            after = await gather(other)
        async with other.database() as database:
            sums_after = await checksums(database, await other.live())

    assert restored.code == 0, restored.aside
    assert restored.document["restored"]
    assert sums_after == sums
    check_the_tables(after)
    check_what_was_told(after)
    check_progress_is_the_tables(after)
    assert {row["row_id"] for row in before.shown} == {row["row_id"] for row in after.shown}


async def test_a_lost_database_that_other_rules_restore_has_a_letter_of_each_record_they_break_on(
    place: Place, postgres_dsn, stack_folder
):
    """Those that broke before have theirs in the topic; the others get one, and a second restore adds none."""
    await place.fill(60, seed=8)
    async with up(place.service("resolver", "1")):
        await place.rests()
    before = await _open_letters(place)
    template = await stack.migrated_template(postgres_dsn, stack_folder)
    kept = []
    for _ in ("lost", "lost once more"):
        async with stack.fresh_database(postgres_dsn, template) as dsn:
            other = place.on_another_database(dsn)
            restored = await other.command("2,breaks", "replay", "--swap", "--json")
            kept.append(restored.document["letters"]["kept"])
            letters = await _open_letters(other)
            async with other.database() as database:
                failed = await database.fetchval(
                    f"SELECT count(*) FROM {await other.live()}.decisions WHERE result = 'failed'"
                )

    assert before == set()
    assert kept == [failed, 0]
    assert len(letters) == failed > 0


async def test_letters_of_what_mended_rules_decide_need_nothing_more_after_a_lost_database(
    place: Place, postgres_dsn, stack_folder
):
    """Nobody knows any more how they stood: what the restored tables have decided is settled, the rest is open."""
    await place.fill(60, seed=8)
    async with up(place.service("resolver", WRONG)):
        await place.rests()
    broken = await _open_letters(place)
    template = await stack.migrated_template(postgres_dsn, stack_folder)
    async with stack.fresh_database(postgres_dsn, template) as dsn:
        other = place.on_another_database(dsn)
        killed = await other.command(f"{MENDED},dies_once_live", "replay", "--swap")
        left = await _open_letters(other)
        again = await other.command(MENDED, "verify", "--json")
        settled = await _open_letters(other)
    async with stack.fresh_database(postgres_dsn, template) as dsn:
        other = place.on_another_database(dsn)
        restored = await other.command(MENDED, "replay", "--swap", "--json")
        settled_at_once = await _open_letters(other)

    assert broken
    assert killed.code == 9, killed.aside
    assert left == broken
    assert again.code == 0, again.aside
    assert settled == settled_at_once == set()
    assert restored.document["letters"] == {"kept": 0, "replayed": len(broken)}, restored.aside


async def _shows_everything(place: Place) -> bool:
    evidence = await gather(place)
    check_progress(evidence)
    return True
