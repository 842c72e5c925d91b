"""The fold on a real Postgres: the same rows as the model's, and nothing published that could not be again."""

import asyncio
import random

import orjson
import pytest
from msgspec.structs import replace

from schemas.codec import Unreadable, decode
from schemas.fields import milliseconds
from schemas.topics import OUTCOMES, PROGRESS
from tests.support.eventually import eventually
from tests.support.journals.composer import Dice
from tests.support.watching.model import COUNTS, final_rows
from tests.support.watching.story import Input, client_added, connection, outcome, request, run
from tests.support.watching.strategies import Logs, a_request, deliveries, outcomes
from tests.support.watching.tables import DAY, Tables, notifier_tables, now
from worker.projection import NeedsLocks
from worker.records import Failed, Span
from worker.statements import NotSo


def logs_of(dice: random.Random) -> Logs:
    return Logs(
        [a_request(Dice(dice.randbytes(10))) for _ in range(8)],
        list(outcomes(Dice(b"\x13" + dice.randbytes(600)))),
    )


@pytest.mark.parametrize("at_once", [False, True], ids=["locked", "at_once"])
@pytest.mark.parametrize("seed", range(6))
async def test_the_stored_rows_are_the_models(tables: Tables, seed: int, *, at_once: bool) -> None:
    """However the two topics are cut, interleaved and read again, the tables hold what the model says."""
    dice = random.Random(seed)
    tables.at_once = at_once
    told = logs_of(dice)
    for batch in deliveries(Dice(dice.randbytes(200)), told):
        await tables.apply_at(batch)

    stored = {
        (row["tenant_id"], row["kind"], row["row_id"]): orjson.loads(row["shown"])
        for row in await tables.database.fetch("SELECT * FROM progress")
    }
    expected = final_rows(told.requests, told.outcomes)
    assert stored.keys() == expected.keys()
    for key, row in stored.items():
        assert (row["status"], row["counts"]) == (expected[key]["status"], expected[key]["counts"])
        assert milliseconds(row["moved_at"]) == expected[key]["moved_at"]
        assert row.get("bulk") == expected[key].get("imports")


async def test_a_request_shows_at_once(tables: Tables) -> None:
    """A queued import is told with everything that its request says."""
    at = now()
    (told,) = await tables.apply(request("i1", at=at, bulk=None, name="Oak Pty Ltd"))

    assert told["status"] == "queued"
    assert told["version"] == at
    assert told["personal"] == {"client_name": "Oak Pty Ltd"}
    assert (told["requested_by"], told["client_id"], told["to_review"]) == ("Ann", "client", False)
    assert milliseconds(told["visible_until"]) == at + 3 * DAY


async def test_an_outcome_may_come_before_its_request(tables: Tables) -> None:
    """The row is made by whichever comes first, and the request adds what it alone knows."""
    at = now()
    first = await tables.apply(
        outcome(5, run("i1", "ready_for_review", requested_at=at, pending=2), at=at + 10)
    )
    second = await tables.apply(request("i1", at=at, name="Oak Pty Ltd"))

    assert [each["status"] for each in first + second] == ["ready_for_review", "ready_for_review"]
    assert second[0]["personal"] == {"client_name": "Oak Pty Ltd"}
    assert second[0]["version"] > first[0]["version"]
    assert (second[0]["requested_at"], second[0]["moved_at"]) == (
        first[0]["requested_at"],
        first[0]["moved_at"],
    )
    assert second[0]["to_review"]


async def test_a_repeated_request_changes_nothing(tables: Tables) -> None:
    """Only the first request of an id counts, whatever a later one says."""
    await tables.apply(request("i1", at=now()))

    assert await tables.apply(request("i1", at=now() + 5, name="Elm", bulk="b")) == []


async def test_what_was_stored_is_published_again_unchanged(tables: Tables) -> None:
    """After a crash the same bytes go out, in the order of the inputs, for exactly the span that is asked for."""
    at = now()
    inputs = [
        request("i1", at=at, bulk="b"),
        request("i2", at=at + 1, bulk="b"),
        outcome(5, run("i1", "fetching", requested_at=at, bulk="b"), at=at + 10),
        outcome(6, run("i1", "completed", requested_at=at, bulk="b"), at=at + 11),
    ]
    offsets = [0, 1, 0, 1]
    published = []
    for offset, each in zip(offsets, inputs, strict=True):
        published += await tables.apply_at([(offset, each)])

    again = await tables.unpublished()
    assert sorted(each.value for each in again) == sorted(each.value for each in published)
    assert len({decode(each.value, PROGRESS).id for each in again}) == len(again)
    assert await causes(tables, Span(OUTCOMES, 0, 1, 2)) == ["outcome-6-0"] * 2
    assert await causes(tables, Span(OUTCOMES, 0, 0, 1)) == ["outcome-5-0"] * 2


async def causes(tables: Tables, span: Span) -> list[str | None]:
    again = await tables.projection.unpublished(tables.database, span)
    return [decode(each.value, PROGRESS).causation_id for each in again]


async def test_a_row_is_told_once_per_batch(tables: Tables) -> None:
    """Of a row that changes several times in a batch only the last state goes out."""
    at = now()
    told = await tables.apply(
        request("i1", at=at),
        outcome(5, run("i1", "fetching", requested_at=at), at=at + 10),
        outcome(6, run("i1", "completed", requested_at=at), at=at + 20),
    )

    assert [each["status"] for each in told] == ["completed"]
    assert len(await tables.unpublished()) == 1


async def test_old_inputs_change_nothing(tables: Tables) -> None:
    """What is older than 72 hours when it arrives, as when topics are read again, makes no row and does no harm."""
    old = now() - 3 * DAY
    told = await tables.apply(
        request("i1", at=old, bulk="b"),
        request("i2", at=now() - 40 * DAY),
        outcome(
            5, run("i1", "completed", requested_at=old), run("i3", "fetching", requested_at=old - DAY), at=old
        ),
        connection(6, "connected", at=old),
        client_added(7, at=old),
    )

    assert told == []
    assert await tables.shown() == {}


async def test_a_row_that_is_gone_stays_as_it_was(tables: Tables) -> None:
    """Later inputs of a row whose 72 hours are over change nothing."""
    almost_over = now() - 3 * DAY + 700
    await tables.apply(request("i1", at=almost_over, bulk="b"))
    before = await tables.shown()
    await eventually(lambda: now() > almost_over + 3 * DAY)

    assert len(before) == 2
    assert (
        await tables.apply(outcome(5, run("i1", "completed", requested_at=almost_over, bulk="b"), at=now()))
        == []
    )
    assert await tables.shown() == before


async def test_a_broker_whose_clock_is_ahead_finds_room(tables: Tables) -> None:
    """A day for which no partition was made yet gets one."""
    (told,) = await tables.apply(request("i1", at=now() + 20 * DAY))

    assert told["status"] == "queued"
    assert len(await tables.shown()) == 1


async def test_a_timestamp_that_nobodys_clock_wrote_is_not_believed(tables: Tables) -> None:
    """A request can't be younger than what it came to, so a made-up date neither stays for years nor needs a table."""
    at = now()
    far = milliseconds("2900-01-01T00:00:00Z")
    (told,) = await tables.apply(outcome(5, run("i1", "fetching", requested_at=far), at=at))

    assert milliseconds(told["requested_at"]) == at


async def test_unreadable_and_failed_records_make_no_row(tables: Tables) -> None:
    """They are in the batch to be passed over."""
    asked = request("i1", at=now()).incoming(0)
    unreadable = replace(asked, content=Unreadable("not_json", "line 1, column 1"))
    failed = replace(asked, content=Failed(asked.content, "ValueError"), offset=1)
    async with tables.database.transaction():
        effects = await tables.projection.apply(tables.database, [unreadable, failed])

    assert list(effects.outgoing) == []
    assert await tables.shown() == {}


@pytest.mark.parametrize("known_before", [[], [request("another", at=now())]])
async def test_two_processes_may_fold_one_import(
    database: str, tables: Tables, known_before: list[Input]
) -> None:
    """One reads the requests, one the outcomes: the second waits for the first, and nothing is lost or twice."""
    at = now()
    await tables.apply(*known_before)
    async with notifier_tables(database) as other:
        async with tables.database.transaction():
            asked = request("i1", at=at, bulk="b", name="Oak")
            await tables.fold([asked.incoming(9)])
            told = outcome(5, run("i1", "ready_for_review", requested_at=at, bulk="b", pending=1), at=at + 9)
            waiting = asyncio.create_task(other.apply(told))
            done, _ = await asyncio.wait({waiting}, timeout=0.3)
            assert not done
        await waiting

    shown = await tables.shown()
    assert shown["import", "i1"]["status"] == "ready_for_review"
    assert shown["import", "i1"]["personal"] == {"client_name": "Oak"}
    assert shown["bulk_import", "b"]["bulk"] == {
        "total": 1,
        **dict.fromkeys(["queued", "fetching", "in_review", "completed", "failed", "superseded"], 0),
        "ready_for_review": 1,
    }


@pytest.mark.parametrize("first", ["locked", "at_once"])
async def test_a_few_inputs_are_loaded_again_where_the_tenants_rows_were_folded_meanwhile(
    database: str, tables: Tables, first: str
) -> None:
    """Without a lock too nothing is lost or twice, whichever way the other process goes."""
    at = now()
    await tables.apply(request("another", at=at))
    told = outcome(5, run("i1", "ready_for_review", requested_at=at, bulk="b", pending=1), at=at + 9)
    async with notifier_tables(database) as other:
        late = await other.projection.apply(other.database, [told.incoming(5)])
        tables.at_once = first == "at_once"
        await tables.apply(request("i1", at=at, bulk="b", name="Oak"))
        with pytest.raises(NotSo):
            await other.store(late)
        assert (await tables.shown())["import", "i1"]["status"] == "queued"
        await other.store(await other.projection.apply(other.database, [told.incoming(5)]))

    shown = await tables.shown()
    assert shown["import", "i1"]["status"] == "ready_for_review"
    assert shown["import", "i1"]["personal"] == {"client_name": "Oak"}
    assert shown["bulk_import", "b"]["bulk"]["ready_for_review"] == 1


async def test_a_tenant_that_was_never_seen_is_locked_first(tables: Tables) -> None:
    """There is nothing yet that would tell of another process."""
    with pytest.raises(NeedsLocks):
        await tables.projection.apply(tables.database, [request("i1", at=now()).incoming(0)])

    tables.at_once = True
    await tables.apply(request("i1", at=now()))
    assert ("import", "i1") in await tables.shown()


async def test_an_import_that_joins_late_opens_a_new_bulk(tables: Tables) -> None:
    """When the bulk's first row is gone from the tables, its remaining imports do not count in the second."""
    at = now()
    await tables.apply(request("i1", at=at, bulk="b"))
    await tables.database.execute("RESET ROLE")
    await tables.database.execute("DELETE FROM progress WHERE kind = 'bulk_import'")
    await tables.projection.prepare(tables.database)
    await tables.apply(request("i2", at=at + 5, bulk="b"))
    await tables.apply(outcome(5, run("i1", "completed", requested_at=at, bulk="b", imported=3), at=at + 9))

    bulk = (await tables.shown())["bulk_import", "b"]
    assert (bulk["bulk"]["total"], bulk["bulk"]["queued"], bulk["status"]) == (1, 1, "queued")
    assert bulk["counts"] == dict.fromkeys(COUNTS, 0)
    assert milliseconds(bulk["requested_at"]) == at + 5
