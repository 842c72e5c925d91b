"""Integration progress folded again beside the live rows, which are mended by it."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from schemas.fields import milliseconds
from services.notifier.rebuilding import rebuild
from services.notifier.rebuilding.rebuild import Rebuild
from tests.support.eventually import eventually
from tests.support.replaying.evidence import highest, no_id_has_two_contents
from tests.support.replaying.place import Quiet
from tests.support.watching.model import final_rows
from tests.support.watching.running import Notifier
from tests.support.watching.story import Input, connection, outcome, request, run
from worker import leftovers
from worker.projection import Database

DAMAGE = """
DELETE FROM notifier.progress WHERE kind = 'bulk_import';
DELETE FROM notifier.progress WHERE row_id = 'one';
UPDATE notifier.progress SET status = 'failed', shown = jsonb_set(shown::jsonb, '{status}', '"failed"')::json
WHERE row_id = 'alone';
INSERT INTO notifier.progress
SELECT tenant_id, kind, 'nobody', requested_at, status, client_id, outcome_offset, outcome_swap, request_seen,
    bulk_from, reviewable, shown
FROM notifier.progress WHERE kind = 'connection';
"""


def asked(at: int) -> list[Input]:
    """Two imports of a bulk, and one that stands alone."""
    return [
        request("one", at=at, bulk="bulk", name="Oak"),
        request("two", at=at, bulk="bulk"),
        request("alone", at=at),
    ]


def early(at: int) -> list[Input]:
    """What came of them, and a connection."""
    return [
        *asked(at),
        outcome(1, run("one", "ready_for_review", requested_at=at, bulk="bulk", staged=2, pending=2), at=at),
        outcome(2, run("alone", "in_review", requested_at=at, staged=3, pending=1), at=at),
        connection(3, "connected", at=at),
    ]


def late(at: int) -> list[Input]:
    """What comes when the rows were mended: a third import joins the bulk, and the first one goes on."""
    return [
        request("three", at=at, bulk="bulk"),
        outcome(4, run("one", "completed", requested_at=at, bulk="bulk", staged=2, imported=2), at=at),
        outcome(5, run("alone", "completed", requested_at=at, staged=3, ignored=3), at=at),
    ]


@asynccontextmanager
async def rebuilding(notifier: Notifier) -> AsyncIterator[tuple[Database, Rebuild]]:
    database = await asyncpg.connect(notifier.settings.postgres_dsn.get_secret_value())
    try:
        async with rebuild.begun(notifier.settings, database, Quiet()) as begun:
            yield database, begun
    finally:
        await database.close()


@pytest.mark.parametrize("killed", [False, True], ids=["told at once", "killed before it told"])
async def test_damaged_rows_are_found_mended_and_told(
    notifier: Notifier, monkeypatch: pytest.MonkeyPatch, *, killed: bool
) -> None:
    """Rows that are wrong, gone or too many; also a bulk's, which goes on being summed up as before.

    Of one that is too many readers are told that it is over.

    What a killed run has not told the notifier tells by itself, and no id ever has two contents.
    """
    monkeypatch.setattr(leftovers, "LOOK_EVERY_SECONDS", 0.1)
    at = int(time.time() * 1000)
    async with notifier.running():
        await notifier.tell(*asked(at))
        await eventually(
            lambda: tells(notifier, asked(at))
        )  # the broker's time of a request is another than `at`
        await notifier.tell(*early(at)[len(asked(at)) :])
        await eventually(lambda: tells(notifier, early(at)))
        async with rebuilding(notifier) as (database, begun):
            right = await begun.compare()
            await database.execute(DAMAGE)
        if killed:
            monkeypatch.setattr(rebuild, "tell", told_nothing)
        async with rebuilding(notifier) as (database, begun):
            folds = await database.fetchval("SELECT sum(folds) FROM notifier.tenants")
            wrong = await begun.compare()
            examples = await begun.examples(["practice"], 3, personal=False)
            mended = await begun.mend(wrong)
            assert await database.fetchval("SELECT sum(folds) FROM notifier.tenants") > folds
        await eventually(lambda: tells(notifier, early(at)))
        await notifier.tell(*late(at))
        await eventually(lambda: tells(notifier, early(at) + late(at)))
        async with rebuilding(notifier) as (_, begun):
            right_again = await begun.compare()

    assert (right.counts, right.rows) == ([], 5)
    (count,) = wrong.counts
    assert (count.only_here, count.only_there, count.different) == (1, 2, 1)
    assert mended.mended == 4
    assert {tuple(each.key): each.kind for each in examples}[("import", "alone")] == "different"
    assert not [column for each in examples for column in each.columns if "Oak" in (column.there or "")]
    assert right_again.counts == []
    assert mended.told == (0 if killed else 4)
    over = highest([each.value for each in await notifier.published()])["practice", "connection", "nobody"]
    assert (over["status"], over["reason"]) == ("failed", "undone_by_replay")
    assert milliseconds(over["visible_until"]) < time.time() * 1000
    no_id_has_two_contents([each.value for each in await notifier.published()])


async def told_nothing(*_: object) -> int:
    """As if it had been killed here."""
    return 0


async def tells(notifier: Notifier, inputs: list[Input]) -> bool:
    """The stored rows are the model's, and whoever keeps the highest versions knows them."""
    database = await asyncpg.connect(notifier.settings.postgres_dsn.get_secret_value())
    try:
        rows = await database.fetch("SELECT tenant_id, kind, row_id, shown FROM notifier.progress")
    finally:
        await database.close()
    stored = {(row["tenant_id"], row["kind"], row["row_id"]): json.loads(row["shown"]) for row in rows}
    requests = [each for each in inputs if each.topic.name == "muster.requests"]
    outcomes = [each for each in inputs if each.topic.name == "muster.outcomes"]
    expected = final_rows(requests, outcomes)
    imports = {key: row for key, row in stored.items() if key[1] != "connection"}
    assert imports.keys() == expected.keys()
    for key, row in imports.items():
        assert (row["status"], row["counts"]) == (expected[key]["status"], expected[key]["counts"]), key
        assert row.get("bulk") == expected[key].get("imports"), key
    known = highest([each.value for each in await notifier.published()])
    assert {key: known[key] for key in stored} == stored
    return True


async def test_what_is_undone_with_a_transaction_is_folded_again(notifier: Notifier) -> None:
    """Whoever gets the locks at the second attempt knows as much as at the first, and mends what is wrong only."""
    at = int(time.time() * 1000)
    async with notifier.running():
        await notifier.tell(*asked(at))
        await eventually(lambda: tells(notifier, asked(at)))
        async with rebuilding(notifier) as (database, begun):
            await begun.compare()
            await notifier.tell(*early(at)[len(asked(at)) :])
            await eventually(lambda: tells(notifier, early(at)))
            with pytest.raises(asyncpg.DivisionByZeroError):
                await breaks_off(database, begun)
            mended, _ = await begun._mend()

    assert mended == 0


async def breaks_off(database: Database, begun: Rebuild) -> None:
    """Fold what has come, in a transaction that is rolled back."""
    async with begun._there():
        await begun._settle(())
        await database.execute("SELECT 1 / 0")
