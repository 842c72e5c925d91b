"""The importer's requests on a real Postgres: whose turn it is, and who may store what."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.importer.queue import AT_ONCE, LISTED, SHARE, LeaseLost
from tests.support.eventually import eventually
from tests.support.importing.office import DEADLINE, SHORT, Office, finish, take, take_one
from tests.support.importing.requests import now_ms, request


async def test_requests_of_a_client_are_taken_one_at_a_time_in_order_of_arrival(office: Office) -> None:
    """The next one is due when the one before has ended, whatever their ids and however many came at once."""
    await office.take_in(*(request(each, "c1") for each in ("z", "a", "m")))
    queue = office.queue()
    for expected in ("z", "a", "m"):
        claimed = await take_one(queue)
        assert claimed.request.import_id == expected
        assert await take(queue, 10) == []
        await queue.store(claimed, [b"set"])
        assert await take(queue, 10) == []
        await queue.end(claimed)
        await queue.give_back(claimed)


async def test_clients_of_a_tenant_do_not_wait_for_each_other(office: Office) -> None:
    """Up to what a practice may have in hand."""
    await office.take_in(*(request(f"i{number}") for number in range(4)))
    queue = office.queue(per_tenant=2)
    assert await take(queue) + await take(queue) == ["i0", "i1"]
    assert await take(queue) == []


async def test_what_a_practice_has_in_hand_is_counted_over_all_processes(office: Office) -> None:
    """Claims at the same moment do not add up to more."""
    await office.take_in(*(request(f"i{number}") for number in range(20)))
    queues = [office.queue(per_tenant=3) for _ in range(8)]
    taken = await asyncio.gather(*(take(queue, 10) for queue in queues for _ in range(3)))
    assert sorted(each for some in taken for each in some) == ["i0", "i1", "i2"]


async def test_a_request_is_in_one_hand_only(office: Office) -> None:
    """However many look at once."""
    await office.take_in(*(request(f"i{number}", tenant_id=f"t{number}") for number in range(40)))
    taken = await asyncio.gather(*(take(office.queue(), 7) for _ in range(12)))
    everything = [each for some in taken for each in some]
    assert len(everything) == len(set(everything)) == 40
    assert max(map(len, taken)) == 7


async def test_one_look_takes_no_more_than_its_share(office: Office) -> None:
    """So that processes which are woken together share what there is."""
    await office.take_in(*(request(f"i{number}", tenant_id=f"t{number}") for number in range(AT_ONCE + 5)))
    assert len(await take(office.queue(), 100)) == AT_ONCE


async def test_a_tenant_with_one_request_is_next_whatever_the_others_have(office: Office) -> None:
    """Who has fewer in hand goes first."""
    await office.take_in(*(request(f"many{number}", tenant_id="many") for number in range(100)))
    queue = office.queue()
    assert await take(queue) == ["many0"]
    await office.take_in(request("one", tenant_id="one"))
    assert await take(queue) + await take(queue) == ["one", "many1"]


async def list_everything(office: Office, tenant_id: str) -> None:
    """As if a list had just brought the client that all these requests are for."""
    await office.fetch(
        "INSERT INTO mirrors (tenant_id, xpm_tenant_id, full_at) VALUES ($1, 'x', now())", tenant_id
    )
    await office.fetch("INSERT INTO mirror_clients VALUES ($1, 'x1', '{}', now())", tenant_id)


async def test_what_a_list_has_brought_is_taken_together(office: Office) -> None:
    """Those imports call nobody: more of them are in hand than may call, up to a limit; one that came later is not."""
    await office.take_in(*(request(f"i{number:03}") for number in range(LISTED + 20)))
    await list_everything(office, "t1")
    await office.take_in(request("later"))
    queue = office.queue(per_tenant=2)
    taken = [await take(queue, 1000) for _ in range(3)]
    assert [len(some) for some in taken] == [SHARE, LISTED - SHARE, 0]
    assert sorted(taken[0] + taken[1]) == [f"i{number:03}" for number in range(LISTED)]


async def test_what_a_list_has_brought_keeps_no_other_tenant_waiting(office: Office) -> None:
    """Each tenant's first comes before a second of any, and a practice that is paused has none in hand."""
    for tenant in ("many", "paused"):
        await office.take_in(*(request(f"{tenant}{number}", tenant_id=tenant) for number in range(60)))
        await list_everything(office, tenant)
    queue = office.queue(per_tenant=2)
    await queue.pause("paused", datetime.now(UTC) + timedelta(hours=1))
    await office.take_in(*(request(f"one{number}", tenant_id=f"t{number}") for number in range(3)))
    assert sorted(await take(queue, 5)) == ["many0", "many1", "one0", "one1", "one2"]
    await office.take_in(request("new", tenant_id="new"))
    assert await take(queue, 1) == ["new"]


async def test_of_a_quick_practice_more_are_taken_than_may_call(office: Office) -> None:
    """As many as it is worth, counted over all processes; of others and of one that is paused none beyond the usual."""
    for tenant in ("quick", "usual", "paused"):
        await office.take_in(*(request(f"{tenant}{number:02}", tenant_id=tenant) for number in range(40)))
    queues = [office.queue(per_tenant=2) for _ in range(2)]
    await queues[0].pause("paused", datetime.now(UTC) + timedelta(hours=1))
    ahead = {"quick": 12, "paused": 12}
    taken = [
        sorted(claimed.request.import_id for claimed in (await queue.claim(100, ahead)).claimed)
        for queue in (*queues, *queues)
    ]
    quick = [f"quick{number:02}" for number in range(12)]
    assert taken == [[*quick, "usual00"], ["usual01"], [], []]


async def test_what_is_taken_ahead_keeps_no_other_tenant_waiting(office: Office) -> None:
    """Each tenant's first comes before a second of a quick one."""
    await office.take_in(*(request(f"quick{number}", tenant_id="quick") for number in range(40)))
    await office.take_in(*(request(f"one{number}", tenant_id=f"t{number}") for number in range(3)))
    look = await office.queue(per_tenant=2).claim(6, {"quick": 30})
    taken = sorted(claimed.request.import_id for claimed in look.claimed)
    assert taken == ["one0", "one1", "one2", "quick0", "quick1", "quick2"]


async def test_tenants_take_turns_when_there_is_room_for_one(office: Office) -> None:
    """Who was served longest ago goes first, so that old backlogs do not keep a new request waiting."""
    await office.take_in(*(request(f"a{number}", tenant_id="a") for number in range(9)))
    await office.take_in(*(request(f"b{number}", tenant_id="b") for number in range(9)))
    await office.take_in(request("c0", tenant_id="c"))
    queue, order = office.queue(), []
    for _ in range(6):
        claimed = await take_one(queue)
        order.append(claimed.request.import_id)
        await finish(queue, claimed)
    assert order == ["a0", "b0", "c0", "a1", "b1", "a2"]


async def test_a_lease_that_runs_out_is_free_for_others(office: Office) -> None:
    """Whoever died had it no longer than its lease; who is alive extends it."""
    await office.take_in(request("i1"))
    dead, alive = office.queue(SHORT), office.queue()
    claimed = await take_one(dead)
    assert await take(alive) == []

    taken = await eventually(lambda: take(alive), interval=0.02)

    assert taken == ["i1"]
    for attempt in (
        dead.extend(claimed),
        dead.store(claimed, [b"set"]),
        dead.park(claimed, claimed.now(), None, b"waiting"),
        dead.announced(claimed),
        dead.end(claimed),
    ):
        with pytest.raises(LeaseLost):
            await attempt
    assert await office.stored("i1") == []
    await dead.give_back(claimed)
    assert await take(alive) == []


async def test_a_lease_that_is_extended_stays(office: Office) -> None:
    """The time runs from the last extension."""
    await office.take_in(request("i1"))
    queue = office.queue(timedelta(milliseconds=400))
    claimed = await take_one(queue)
    longer = office.queue()
    await longer.extend(claimed)
    await asyncio.sleep(0.5)
    assert await take(queue) == []


async def test_the_first_to_store_a_set_wins(office: Office) -> None:
    """Two who both believe that they have the import in hand leave one set."""
    await office.take_in(request("i1"))
    queue = office.queue()
    claimed = await take_one(queue)
    sets = [[b"%d first" % number, b"%d last" % number] for number in range(8)]
    results = await asyncio.gather(*(queue.store(claimed, events) for events in sets), return_exceptions=True)
    won = [number for number, result in enumerate(results) if result is None]
    assert len(won) == 1
    assert all(isinstance(result, LeaseLost) for result in results if result is not None)
    assert await office.stored("i1") == sets[won[0]]


async def test_a_stored_set_is_handed_out_again_until_it_is_acknowledged(office: Office) -> None:
    """Unchanged and in order; then it is forgotten but for its last event."""
    await office.take_in(request("i1"))
    queue = office.queue()
    claimed = await take_one(queue)
    events = [b"%d" % number for number in range(300)]
    await queue.store(claimed, events)
    await queue.give_back(claimed)

    again = await take_one(queue)
    assert (again.status, await queue.events(again)) == ("stored", events)
    await queue.end(again)
    await queue.give_back(again)

    assert await take(queue) == []
    state = await office.state("i1")
    assert (state["status"], state["last_event"], await office.stored("i1")) == ("ended", b"299", [])


async def test_an_announcement_is_kept_until_it_is_out(office: Office) -> None:
    """A wait begins with its announcement: until that is acknowledged the request can be taken in hand at once."""
    await office.take_in(request("i1"))
    queue = office.queue()
    claimed = await take_one(queue)
    since = claimed.now()
    until = since + timedelta(milliseconds=300)
    await queue.park(claimed, until, since, b"waiting")
    await queue.give_back(claimed)

    again = await take_one(queue)
    assert (again.announcement, again.waits, again.trouble_since) == (b"waiting", 1, since)
    await queue.announced(again)
    await queue.give_back(again)

    assert await take(queue) == []
    parked = await eventually(lambda: queue.claim(1), interval=0.02, because="it is due")
    while not parked.claimed:
        parked = await queue.claim(1)
    (resumed,) = parked.claimed
    assert resumed.announcement is None
    assert resumed.claimed_at >= until


async def test_a_pause_keeps_a_practice_from_xpm_and_no_other(office: Office) -> None:
    """What does not need XPM goes on: sets to be published, announcements, and imports that have to end now."""
    queue = office.queue()
    await office.take_in(request("stored"), request("announced"))
    stored, announced = await take_one(queue), await take_one(queue)
    later = stored.now() + timedelta(hours=1)
    await queue.store(stored, [b"set"])
    await queue.park(announced, later, None, b"waiting")
    await queue.pause("t1", later)
    await queue.pause("t1", stored.now())
    for each in (stored, announced):
        await queue.give_back(each)
    overdue = now_ms() - int(DEADLINE.total_seconds() * 1000) - 1
    await office.take_in(
        request("queued"), request("overdue", requested_at=overdue), request("other", tenant_id="t2")
    )

    taken = [await take(queue) for _ in range(6)]

    assert sorted(each for some in taken for each in some) == ["announced", "other", "overdue", "stored"]


async def test_a_pause_ends_by_itself(office: Office) -> None:
    """And a look says when."""
    queue = office.queue()
    await office.take_in(request("i1"))
    await queue.pause("t1", datetime.now(UTC) + timedelta(milliseconds=200))
    look = await queue.claim(1)
    assert look.pause is not None
    assert not look.claimed
    assert 0 < look.pause < 0.25
    assert await eventually(lambda: take(queue), interval=0.02) == ["i1"]


async def test_a_look_says_when_the_next_one_can_bring_more(office: Office) -> None:
    """By time alone: when a wait is over or a lease runs out. What another's end makes possible is not foreseen."""
    queue = office.queue(timedelta(seconds=20), per_tenant=1)
    assert (await queue.claim(1)).pause is None
    await office.take_in(request("i1"), request("i2"))
    claimed = await take_one(queue)
    pause = (await queue.claim(1)).pause
    assert pause is not None
    assert 19 < pause <= 20
    await queue.park(claimed, claimed.now() + timedelta(seconds=5), None, b"waiting")
    await queue.announced(claimed)
    await queue.give_back(claimed, timedelta(seconds=1))
    await take_one(queue)
    pause = (await queue.claim(1)).pause
    assert pause is not None
    assert 4 < pause <= 5


async def test_a_request_that_broke_is_left_alone_for_a_while(office: Office) -> None:
    """Others go on meanwhile."""
    queue = office.queue()
    await office.take_in(request("i1"), request("i2"))
    await queue.give_back(await take_one(queue), timedelta(minutes=1))
    assert await take(queue) == ["i2"]
    assert await take(queue) == []


async def test_a_repeat_of_an_ended_import_is_answered_with_its_last_event(office: Office) -> None:
    """Once for all the repeats that were known when it went out."""
    queue = office.queue()
    await office.take_in(request("i1"))
    await finish(queue, await take_one(queue))
    assert await take(queue) == []

    await office.take_in(request("i1"))
    await office.take_in(request("i1"))

    again = await take_one(queue)
    assert (again.status, again.last_event) == ("ended", b"the end")
    await queue.end(again)
    await queue.give_back(again)
    assert await take(queue) == []


async def test_a_repeat_while_the_last_event_goes_out_is_answered_too(office: Office) -> None:
    """Whoever asks while a set is stored, or being published again, may have missed its end."""
    queue = office.queue()
    await office.take_in(request("i1"))
    claimed = await take_one(queue)
    await queue.store(claimed, [b"the end"])
    for _ in range(2):
        await office.take_in(request("i1"))
        await queue.end(claimed)
        await queue.give_back(claimed)
        claimed = await take_one(queue)
    await queue.end(claimed)
    await queue.give_back(claimed)
    assert await take(queue) == []


async def test_a_repeat_of_a_queued_request_changes_nothing(office: Office) -> None:
    """Its import is still to come."""
    await office.take_in(request("i1"), request("i1"))
    await office.take_in(request("i1"))
    queue = office.queue()
    await finish(queue, await take_one(queue))
    assert await take(queue) == []


async def test_another_request_under_an_id_does_not_take_its_place(office: Office) -> None:
    """The first keeps the id; whoever stores is told what the id stands for."""
    first, other = request("i1", "c1"), request("i1", "c2")
    known = await office.take_in(first, other)
    assert known == await office.take_in(other)
    assert (await take_one(office.queue())).request.client_id == "c1"


async def test_tenants_share_no_ids(office: Office) -> None:
    """The same import id and client id of two tenants are two requests."""
    await office.take_in(request("i1", "c1", "t1"), request("i1", "c1", "t2"))
    queue = office.queue()
    one, other = await take_one(queue), await take_one(queue)
    assert {one.request.tenant_id, other.request.tenant_id} == {"t1", "t2"}
    await finish(queue, one)
    assert (await office.fetch("SELECT count(*) AS open FROM requests WHERE status <> 'ended'"))[0][
        "open"
    ] == 1


@pytest.mark.parametrize("clients", [1, 5_000])
async def test_a_look_does_not_go_through_the_whole_queue(office: Office, clients: int) -> None:
    """It goes from tenant to tenant: a long queue, also of one client, delays no other tenant."""
    await office.take_in(*(request(f"i{number}", f"c{number % clients}") for number in range(5_000)))
    queue = office.queue(per_tenant=2)
    taken = await take(queue) + await take(queue)
    plan = await office.explain_claim()
    assert taken == ["i0", "i1"][:clients]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 200


async def test_one_client_has_one_request_at_work_whoever_takes_in_and_ends_at_once(office: Office) -> None:
    """A request that comes in while the one before it ends is neither at work too early nor forgotten."""
    queue = office.queue()
    await office.take_in(request("i0", "c1"))
    for number in range(1, 40):
        claimed = await take_one(queue)
        assert claimed.request.import_id == f"i{number - 1}"
        await queue.store(claimed, [b"set"])
        await asyncio.gather(office.take_in(request(f"i{number}", "c1")), queue.end(claimed))
        await queue.give_back(claimed)
