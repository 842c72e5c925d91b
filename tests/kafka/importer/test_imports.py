"""Imports from the request to the journal, on a real Kafka and a real Postgres, with XPM over HTTP."""

import asyncio
from datetime import datetime
from typing import Any

import pytest

from sandbox import harbour
from sandbox.practice import Relationship as Tie
from sandbox.quota import Limits
from schemas.imports import ImportFailed, ImportStaged, ImportWaiting, ItemStaged
from schemas.topics import REQUESTS
from services.importer.domain import Request, staged
from services.importer.settings import Connection
from services.importer.xpm.directions import STANDARD
from tests.support.eventually import eventually
from tests.support.importing.importer import Course, Importer, assert_whole, kinds, xpm_tenant
from tests.support.logs import read_back
from worker.deadletters import PREFIX

WHOLE = ["started", "entity", *["item"] * 6, "staged"]


def failure(course: Course) -> str:
    """The reason of an import that failed."""
    assert kinds(course) == ["started", "failed"]
    fact = course[-1].data
    assert isinstance(fact, ImportFailed)
    return fact.reason


def waits(course: Course) -> list[str]:
    return [event.data.why for event in course if isinstance(event.data, ImportWaiting)]


async def test_an_import_is_started_read_and_staged_as_one_set(importer: Importer) -> None:
    """The client, an item for each relationship that holds, and the list of them with a count of the rest."""
    await importer.ask(("t0", "i1", "c1"))
    async with importer.running():
        await eventually(importer.ended)

    (course,) = (await importer.courses()).values()
    assert kinds(course) == WHOLE
    items = [event.data for event in course if isinstance(event.data, ItemStaged)]
    flagged = {item.personal.name for item in items if item.archived}
    assert ({item.personal.name for item in items if item.stub}, flagged) == (
        {"D'Arcy Okafor"},
        {"Wren & Co Auditors"},
    )
    complete = course[-1].data
    assert isinstance(complete, ImportStaged)
    assert complete.left_out.model_dump() == {"ended": 1, "party_deleted": 1, "unreadable": 0}


async def test_imports_of_a_client_follow_one_another_in_order_of_arrival(importer: Importer) -> None:
    """Each has ended before the next one starts, also when they came in one batch."""
    names = ["z", "m", "a", "k"]
    await importer.ask(*(("t0", name, "c1") for name in names))
    async with importer.running():
        await eventually(importer.ended)

    told = [
        event.data.import_id for event in await importer.journal() if event.type.startswith("muster.import")
    ]  # type: ignore[attr-defined]
    assert told == [name for name in names for _ in ("started", "staged")]


async def test_a_repeat_of_an_ended_import_is_answered_with_its_last_event(importer: Importer) -> None:
    """The same event again, byte for byte; nothing is read."""
    await importer.ask(("t0", "i1", "c1"))
    async with importer.running():
        await eventually(importer.ended)
        before, calls = await importer.journal(), importer.calls("t0")
        await importer.ask(("t0", "i1", "c1"))

        async def answered() -> bool:
            return len(await importer.journal()) > len(before)

        await eventually(answered)
    assert (await importer.journal())[-1] == before[-1]
    assert importer.calls("t0") == calls


async def test_another_request_under_the_same_id_is_a_dead_letter(importer: Importer) -> None:
    """The first import is what the id stands for."""
    await importer.ask(("t0", "i1", "c1"))
    await importer.ask(("t0", "i1", "c2"))
    async with importer.running():
        await eventually(importer.ended)

        async def kept() -> list[object]:
            assert REQUESTS.dead_letters
            (letters,) = await read_back(importer.settings, REQUESTS.dead_letters)
            return letters

        (letter,) = await eventually(kept)
    said = dict(letter.headers)
    assert (said[f"{PREFIX}why"], said[f"{PREFIX}detail"]) == (
        b"id_reused",
        b"another request was made under this id",
    )
    assert [kinds(course) for course in (await importer.courses()).values()] == [WHOLE]


async def test_what_no_time_can_mend_ends_an_import_at_once(importer: Importer) -> None:
    """With a reason, and without a wait; ImportStarted comes first all the same."""
    connections = dict(importer.settings.xpm_connections)
    token = connections["t1"].access_token
    connections["t1"] = Connection(xpm_tenant_id="somebody-else", access_token=token)
    connections["t2"] = Connection(xpm_tenant_id=xpm_tenant("t2"), access_token="expired")
    await importer.ask(("nobody", "i1", "c1"), ("t1", "i1", "c1"), ("t2", "i1", "c1"))
    await importer.ask(("t3", "i1", "c1"), xpm=None)
    await importer.ask(("t4", "i1", "c1"), xpm=harbour.OKAFOR)
    await importer.ask(("t5", "i1", "c1"), xpm=harbour.GORDON)
    async with importer.running(xpm_connections=connections):
        await eventually(importer.ended)

    assert {tenant: failure(course) for (tenant, _), course in (await importer.courses()).items()} == {
        "nobody": "not_connected",
        "t1": "forbidden",
        "t2": "reconnect_required",
        "t3": "client_not_linked",
        "t4": "client_not_found",
        "t5": "client_not_found",
    }


async def test_trouble_with_xpm_is_waited_out(importer: Importer) -> None:
    """An outage, an answer that is no XML, a connection cut twice, a limit: the wait is told, and then it goes on."""
    importer.trouble("t0", kind="outage", calls=1)
    importer.trouble("t1", kind="malformed", calls=1)
    importer.trouble("t2", kind="cut", calls=2)
    importer.trouble("t3", kind="throttle", calls=1, seconds=2)
    importer.trouble("t4", kind="throttle", calls=1, seconds=1, problem="day", path=harbour.TOMAS)
    await importer.ask(*((f"t{number}", "i1", "c1") for number in range(6)))
    async with importer.running():
        await eventually(importer.ended, timeout=20)

    courses = {tenant: course for (tenant, _), course in (await importer.courses()).items()}
    for course in courses.values():
        assert_whole(course)
    assert {tenant: waits(course) for tenant, course in courses.items()} == {
        "t0": ["source_unavailable"],
        "t1": ["source_invalid"],
        "t2": ["source_unavailable"],
        "t3": ["quota_minute"],
        "t4": ["quota_day"],
        "t5": [],
    }


async def test_trouble_that_does_not_pass_ends_the_import(importer: Importer) -> None:
    """After the configured time, and not without one more attempt then."""
    importer.trouble("t0", kind="outage")
    await importer.ask(("t0", "i1", "c1"))
    async with importer.running(import_retry_seconds=1):
        await eventually(importer.ended)

    (course,) = (await importer.courses()).values()
    assert kinds(course) == ["started", "waiting", "failed"]
    assert importer.calls("t0") == 2


async def test_an_import_that_waits_goes_on_after_a_restart_and_not_before_its_time(
    importer: Importer,
) -> None:
    """What was promised is in the database."""
    importer.trouble("t0", kind="throttle", calls=1, seconds=3)
    await importer.ask(("t0", "i1", "c1"))

    async def waits_for() -> list[datetime]:
        journal = await importer.journal()
        return [datetime.fromisoformat(e.data.until) for e in journal if isinstance(e.data, ImportWaiting)]

    async with importer.running():
        (until,) = await eventually(waits_for)
    calls = importer.calls("t0")
    async with importer.running():
        while datetime.now(until.tzinfo) < until:
            assert importer.calls("t0") == calls
            await asyncio.sleep(0.1)
        await eventually(importer.ended)

    (course,) = (await importer.courses()).values()
    assert kinds(course) == ["started", "waiting", *WHOLE[1:]]


async def test_a_slow_practice_delays_no_other(importer: Importer) -> None:
    """Its imports take few places, however many there are; the others go on as if it were not there."""
    importer.trouble("t0", kind="latency", seconds=60)
    await importer.ask(*(("t0", f"i{number}", f"c{number}") for number in range(30)))
    others, places = [f"t{number}" for number in range(1, 6)], importer.settings.imports_per_practice
    async with importer.running() as service:
        await eventually(lambda: importer.sandbox.faults and in_hand(importer, "t0", places))
        await importer.ask(
            *((tenant, f"i{number}", f"c{number}") for tenant in others for number in range(4))
        )
        await eventually(lambda: importer.ended(*others))
        assert await in_hand(importer, "t0", places)
        assert not service.done()

    assert await in_hand(importer, "t0", 0)


async def in_hand(importer: Importer, tenant: str, number: int) -> bool:
    rows = await importer.fetch(
        "SELECT count(*) AS number FROM importer.requests WHERE tenant_id = $1 AND leased_by IS NOT NULL",
        tenant,
    )
    return bool(rows[0]["number"] == number)


async def test_a_stop_in_the_middle_of_a_read_is_quick_and_gives_everything_back(importer: Importer) -> None:
    """The next process need not wait for leases to run out."""
    importer.trouble("t0", kind="latency", seconds=60)
    await importer.ask(("t0", "i1", "c1"))
    clock = asyncio.get_running_loop().time
    async with importer.running(import_lease_seconds=60):
        await eventually(lambda: in_hand(importer, "t0", 1))
        stopped_at = clock()
    assert clock() - stopped_at < 5
    assert await in_hand(importer, "t0", 0)
    importer.sandbox.faults.clear()
    async with importer.running():
        await eventually(importer.ended)


@pytest.mark.parametrize("limits", [Limits(concurrent=5, minute=10, minute_seconds=1)])
async def test_a_practice_with_a_small_quota_gets_everything_done(importer: Importer, limits: Limits) -> None:
    """Window by window; of the queue no more runs into the limit than is in hand."""
    await importer.ask(*(("t0", f"i{number}", f"c{number}") for number in range(5)))
    async with importer.running():
        await eventually(importer.ended, timeout=30)

    courses = await importer.courses()
    for course in courses.values():
        assert_whole(course)
        assert kinds(course)[-1] == "staged"
    windows = importer.calls("t0", 200) / limits.minute
    assert importer.calls("t0", 429) <= 4 * windows + 4
    assert sum(len(waits(course)) for course in courses.values()) <= 2 * windows + 4


async def test_a_bug_in_staging_ends_its_import_and_nothing_else(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What holds us up for one client is told as a failure of its import; the process goes on."""

    def breaks(request: Request, *given: Any) -> list[bytes]:
        if request.client_id == "c1":
            raise ValueError("private: John Smith")
        return staged(request, *given)

    monkeypatch.setattr("services.importer.reading.staged", breaks)
    await importer.ask(("t0", "i1", "c1"), ("t0", "i2", "c2"))
    async with importer.running() as service:
        await eventually(importer.ended)
        assert not service.done()

    courses = await importer.courses()
    assert (failure(courses["t0", "i1"]), kinds(courses["t0", "i2"])) == ("source_invalid", WHOLE)


async def test_a_connection_is_told_once_for_each_change(importer: Importer) -> None:
    """Also over restarts: a practice that is called otherwise is told again, one that stays is not."""

    def named(name: str) -> dict[str, object]:
        return {
            "xpm_connections": {"t0": Connection(xpm_tenant_id="x", access_token="s", practice_name=name)}
        }

    for name in ("Harbour", "Harbour", "Harbour & Hill", "Harbour"):
        async with importer.running(**named(name)):
            await eventually(lambda: is_told(importer, name))  # noqa: B023 - awaited at once
    events = await importer.connections()
    assert [event.data.personal.practice_name for event in events] == ["Harbour", "Harbour & Hill", "Harbour"]  # type: ignore[attr-defined]
    assert len({event.id for event in events}) == 3


async def is_told(importer: Importer, name: str) -> bool:
    return bool(
        await importer.fetch(
            "SELECT FROM importer.given_connections WHERE practice_name = $1 "
            "AND NOT EXISTS (SELECT FROM importer.connection_facts)",
            name,
        )
    )


async def test_a_practice_reads_words_its_own_way(importer: Importer) -> None:
    """What one practice holds for the same is one item there, by the setting or by its own word, and two elsewhere."""
    for tenant in ("t0", "t1", "t2"):
        practice = importer.sandbox.tenancies[xpm_tenant(tenant)].practice
        for word in ("Spouse", "De facto"):
            practice.relate(harbour.SALTGRASS, Tie(word, word, harbour.PRIYA, "Priya Nair"))
    await importer.ask(*((tenant, "i1", "c1") for tenant in ("t0", "t1", "t2")), xpm=harbour.SALTGRASS)
    await importer.fetch(
        "INSERT INTO importer.wording (tenant_id, word, meaning, changed_by) VALUES ('t2', 'de facto', $1, 'Anna')",
        STANDARD["spouse"].model_dump_json(),
    )
    async with importer.running(xpm_directions={"t0": {"DE FACTO": STANDARD["spouse"]}}):
        await eventually(importer.ended)

    words = {
        tenant: [event.data.relationship.type for event in course if isinstance(event.data, ItemStaged)]
        for (tenant, _), course in (await importer.courses()).items()
    }
    assert words == {"t0": ["Spouse"], "t1": ["Spouse", "De facto"], "t2": ["Spouse"]}


async def test_without_a_mirror_every_party_is_read_and_nothing_is_kept(importer: Importer) -> None:
    """Where the setting says so: what was kept before goes, and each import takes a call for each party."""
    await importer.ask(("t0", "i1", "c1"))
    async with importer.running():
        await eventually(importer.ended)
    assert await importer.fetch("SELECT FROM importer.mirror_parties")
    before = importer.calls("t0")
    await importer.ask(("t0", "i2", "c1"))
    async with importer.running(xpm_mirror=False):
        await eventually(lambda: are_ended(importer, 2))
        await eventually(lambda: is_empty(importer, "mirrors", "mirror_parties", "mirror_clients"))

    courses = await importer.courses()
    assert kinds(courses["t0", "i1"]) == kinds(courses["t0", "i2"]) == WHOLE
    assert importer.calls("t0") - before == 1 + len({tie.party_uuid for tie in current_ties()})


async def are_ended(importer: Importer, number: int) -> bool:
    return len(await importer.fetch("SELECT FROM importer.requests WHERE status = 'ended'")) == number


def current_ties() -> list[Tie]:
    practice = harbour.harbour_practice()
    return [tie for tie in practice.parties[harbour.NORTHLIGHT].relationships if tie.end in (None, "")]


async def is_empty(importer: Importer, *tables: str) -> bool:
    return not any([await importer.fetch(f"SELECT FROM importer.{table}") for table in tables])
