"""A generation that is folded again, in whatever way, against the one that the consumer loop has made."""

import multiprocessing

import pytest

from services.resolver import rows, saving
from services.resolver.generations import TABLES
from services.resolver.replaying import crew, folding
from services.resolver.replaying.comparing import checksums
from services.resolver.replaying.course import NothingThere
from services.resolver.replaying.folding import Folder
from services.resolver.replaying.standing import AnotherReplay
from tests.support.replaying.place import Place, up

MINE = "1"
"""The rules as they are."""


@pytest.fixture
async def folded(place: Place) -> Place:
    """A journal that a resolver has worked off and that nothing is added to."""
    await place.fill(60, seed=1)
    await place.fill(60, seed=2)
    async with up(place.service("resolver", MINE)):
        await place.rests()
    return place


async def test_what_is_folded_again_is_identical(folded: Place):
    """Row by row, in every table; checksums say the same."""
    async with folded.run() as run:
        report, _ = await run.replay(swap=False)

    assert report.identical
    assert report.folded.records == await _records(folded)
    async with folded.database() as database:
        assert await checksums(database, report.here.schema) == await checksums(database, report.there.schema)


async def test_memory_is_bounded_and_changes_nothing(folded: Place, monkeypatch):
    """Tenants are evicted after every few records and loaded again when they are met."""
    monkeypatch.setattr(folding, "RECORDS_OF_A_TRANSACTION", 7)
    monkeypatch.setattr(folding, "ROWS_IN_MEMORY", 5)
    monkeypatch.setattr("services.resolver.replaying.journal.PIECE", 7)
    evicted = []
    load_absent_ones = Folder._load_absent_ones
    monkeypatch.setattr(
        Folder, "_load_absent_ones", lambda self: evicted.append(self) or load_absent_ones(self)
    )
    async with folded.run() as run:
        report, _ = await run.replay(swap=False)

    assert evicted
    assert report.identical


async def test_a_record_on_which_the_database_breaks_costs_one_record(place: Place, monkeypatch):
    """In the loop as in a replay: it is found by halving, and recorded as failed."""
    breaks_on = _BreaksOnSome(monkeypatch)
    await place.fill(80, seed=3)
    async with up(place.service("resolver", MINE)):
        await place.rests()
    breaks_on.switch_on()
    async with place.run() as run:
        report, settling = await run.replay(swap=False)
        examples = await settling.examples(
            "decisions", [each.tenant_id for each in report.counts], 100, personal=True
        )

    failed = [each for each in examples if ("result", "applied", "failed") in each.columns]
    assert failed
    assert breaks_on.met


class _BreaksOnSome:
    """Members that the database refuses, as a fault of the resolver would make them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.met = 0

    def switch_on(self) -> None:
        values = rows.member_values

        def broken(tenant_id, key, entity):
            row = list(values(tenant_id, key, entity))
            if ord(entity.member_id[-1]) % 2:
                self.met += 1
                row[1] += "\x00"
            return tuple(row)

        self._monkeypatch.setattr(rows, "member_values", broken)
        kinds = [each._replace(values=broken) if each.held == "members" else each for each in saving.KINDS]
        self._monkeypatch.setattr(saving, "KINDS", tuple(kinds))


async def test_what_was_begun_is_gone_on_with(folded: Place, monkeypatch):
    """A replay that breaks off leaves what it has stored, and the next run needs to fold the rest only."""
    store, stored = Folder._store, []

    async def breaks_off(self, *where):
        if len(stored) == 2:
            raise KeyboardInterrupt
        stored.append(where)
        await store(self, *where)

    monkeypatch.setattr(Folder, "_store", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        async with folded.run() as run:
            await run.replay(swap=False)
    monkeypatch.setattr(Folder, "_store", store)

    async with folded.run() as run:
        begun = (await run.standing()).unfinished
        report, _ = await run.replay(swap=False)

    assert [each.generation.number for each in begun] == [2]
    assert 0 < begun[0].records < (await _records(folded))
    assert report.resumed
    assert report.folded.records == await _records(folded) - begun[0].records
    assert report.identical


async def test_what_comes_after_the_comparison_is_settled_as_if_it_had_been_compared(place: Place):
    """Rows of every table, and what a swap would publish; live records go by rules that are wrong."""
    await place.fill(60, seed=8)
    async with up(place.service("resolver", f"{MINE},refuses_ignoring,archives")):
        await place.rests()
        async with place.run() as run:
            before, settling = await run.replay(swap=False)
            await place.fill(60, seed=9)
            await place.rests()
            async with settling.database.transaction():
                records = await settling.settle()
            settled, planned = await settling.comparison.counts(), await settling.planned()
            anew, _ = await run.replay(swap=False)

    assert records
    assert settled == anew.counts != before.counts
    assert planned == (anew.answers, anew.states)
    assert all(now > then > 0 for now, then in zip(planned, (before.answers, before.states), strict=True))


async def test_several_processes_fold_the_same(folded: Place):
    """Each takes the next partition when it is through with one."""
    async with folded.run(jobs=3) as run:
        report, _ = await run.replay(swap=False)

    assert report.identical


async def test_what_is_folded_has_the_indexes_and_statistics_of_what_is_live(folded: Place):
    async with folded.run() as run:
        report, _ = await run.replay(swap=False)

    async with folded.database() as database:
        live, there = [await _indexes(database, each.schema) for each in (report.here, report.there)]
        unknown = await database.fetchval(
            "SELECT count(*) FROM pg_class "
            "WHERE relnamespace = $1::regnamespace AND relname = ANY ($2) AND reltuples < 0",
            report.there.schema,
            TABLES,
        )
    assert live == there
    assert unknown == 0


async def _indexes(database, schema: str) -> list[str]:
    found = await database.fetch(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = $1 AND tablename = ANY ($2)", schema, TABLES
    )
    return sorted(each["indexdef"].replace(f"{schema}.", "") for each in found)


async def test_processes_that_were_called_and_never_needed_end_with_the_run(folded: Place):
    async with folded.run(jobs=2) as run:
        run.builder.call_crew(1, 24)
        called = multiprocessing.active_children()

    assert len(called) == 2
    for each in called:
        each.join(timeout=10)
    assert not any(each.is_alive() for each in called)


@pytest.mark.parametrize("jobs", [1, 2])
async def test_what_passes_at_each_partition_ends_no_replay(folded: Place, monkeypatch, jobs: int):
    """However many there are: it is the same one again and again that is given up."""
    monkeypatch.setattr(crew, "LAST_ATTEMPT", 2)
    monkeypatch.setattr(crew, "_member", _breaks_off_once_at_each)
    monkeypatch.setattr(Folder, "fold", _breaking_off_once_at_each(Folder.fold))
    async with folded.run(jobs=jobs) as run:
        report, _ = await run.replay(swap=False)

    assert report.identical
    assert report.folded.records == await _records(folded) > 0


def _breaking_off_once_at_each(fold):
    seen: set[int] = set()

    async def fold_or_break_off(self, partition: int, *rest):
        if partition not in seen:
            seen.add(partition)
            raise ConnectionError
        await fold(self, partition, *rest)

    return fold_or_break_off


def _breaks_off_once_at_each(*arguments):
    """The same in a process of its own."""
    crew.LAST_ATTEMPT = 2
    Folder.fold = _breaking_off_once_at_each(Folder.fold)
    crew._member(*arguments)


async def test_a_partition_that_breaks_off_again_and_again_ends_the_replay(folded: Place, monkeypatch):
    async def break_off(*_):
        attempts.append(1)
        raise ConnectionError

    attempts: list[int] = []
    monkeypatch.setattr(crew.retry, "delay", lambda *_: 0)
    monkeypatch.setattr(Folder, "fold", break_off)
    async with folded.run(jobs=1) as run:
        with pytest.raises(ConnectionError):
            await run.replay(swap=False)
    assert len(attempts) == crew.LAST_ATTEMPT


async def test_a_process_that_ends_breaks_the_replay_off(folded: Place, monkeypatch):
    """The others end too, and the message says what to do."""
    monkeypatch.setattr(crew, "_member", _ends_at_once)
    with pytest.raises(crew.FoldFailed, match="goes on from where it came"):
        async with folded.run(jobs=2) as run:
            await run.replay(swap=False)


def _ends_at_once(*_: object) -> None:
    """A process that somebody kills."""


async def test_only_one_replay_is_at_work(folded: Place):
    """The second one is refused, and says what to do."""
    async with folded.run():
        with pytest.raises(AnotherReplay, match="Wait until it is through"):
            async with folded.run():
                pass


async def test_a_look_at_an_earlier_time_and_at_one_practice(folded: Place):
    """Up to an offset there are only the records before it; of one practice only its own rows are compared."""
    async with folded.run() as run:
        earlier, _ = await run.look({1: 10}, None)
        ours, _ = await run.look(None, "north-0")
        with pytest.raises(NothingThere, match="Is it spelt so"):
            await run.look(None, "nroth-0")
    long_ago = await folded.command(MINE, "replay", "--until", "2020-01-01T00:00:00Z", "--json")
    now = await folded.command(MINE, "replay", "--until", "0s", "--json")

    assert earlier.compared["decisions"] <= 12
    assert earlier.counts
    assert (long_ago.code, long_ago.document["folded"]["records"]) == (1, 0), long_ago.aside
    assert (now.code, now.document["identical"]) == (0, True), now.aside
    assert ours.identical
    assert 0 < ours.compared["items"] < await _count(folded, "items")


async def test_a_change_by_hand_is_found(folded: Place):
    """Whatever differs from what the journal comes to: a value, a row too few, a row too many."""
    async with folded.database() as database:
        changed = await database.fetchrow(
            "SELECT * FROM resolver_g1.items ORDER BY tenant_id, item_id LIMIT 1"
        )
        await database.execute(
            "UPDATE resolver_g1.items SET archived = NOT archived WHERE tenant_id = $1 AND item_id = $2",
            changed["tenant_id"],
            changed["item_id"],
        )
        await database.execute(
            "DELETE FROM resolver_g1.links WHERE ctid = (SELECT min(ctid) FROM resolver_g1.links)"
        )
        await database.execute(
            "INSERT INTO resolver_g1.co_owner_emails VALUES ('north-0', 'a@b.example', 'c', 'm')"
        )
    async with folded.run() as run:
        report, settling, _ = await run.verify(full=True, take_over=False)
        examples = await settling.examples("items", [changed["tenant_id"]], 3, personal=False)

    found = {(each.table, each.only_here, each.only_there, each.different) for each in report.counts}
    assert found == {("items", 0, 0, 1), ("links", 0, 1, 0), ("co_owner_emails", 1, 0, 0)}
    before = str(changed["archived"]).lower()
    assert [(one.name, one.there) for each in examples for one in each.columns] == [("archived", before)]


async def test_a_snapshot_lets_verification_begin_later(folded: Place):
    """It is kept by a run that found nothing; the next one folds only what has come since. A full one proves it."""
    async with folded.run() as run:
        first, _, _ = await run.verify(full=False, take_over=False)
        await run.builder.keep(first.there)
    more = await folded.fill(30, seed=4)
    async with up(folded.service("resolver", MINE)):
        await folded.rests()
    async with folded.run() as run:
        second, _, _ = await run.verify(full=False, take_over=False)
        full, _, _ = await run.verify(full=True, take_over=False)
        right = await run.snapshot_differs(full.there)
        await _spoil(folded, first.there.schema)
        wrong = await run.snapshot_differs(full.there)

    assert first.identical
    assert second.identical
    assert second.there == first.there
    assert second.folded.records == more
    assert full.identical
    assert full.folded.records == await _records(folded)
    assert (right, wrong) == (False, True)


async def _spoil(place: Place, schema: str) -> None:
    async with place.database() as database:
        await database.execute(f"UPDATE {schema}.items SET archived = NOT archived")


async def _records(place: Place) -> int:
    async with place.database() as database:
        return await database.fetchval("SELECT sum(applied_to)::bigint FROM resolver_g1.positions")


async def _count(place: Place, table: str) -> int:
    async with place.database() as database:
        return await database.fetchval(f"SELECT count(*) FROM resolver_g1.{table}")
