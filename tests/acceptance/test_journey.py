"""The journey of a client's import as staff live it, through all of the running system and its public interfaces."""

import asyncio
import io
from datetime import datetime

from rich.console import Console

from ops.demo.connecting import Importer
from ops.demo.playing import Stage, play
from ops.demo.story import CLIENT, OPEN_ITEMS
from schemas.codec import decode, encode
from schemas.decisions import ItemIgnored
from schemas.imports import ImportFailed, ImportRequested, ImportStaged, ImportStarted
from schemas.outcomes import OutcomeRecorded
from schemas.topics import JOURNAL, REQUESTS
from tests.support.eventually import eventually
from tests.support.logs import read_back
from tests.support.system import HARBOUR, STAFF, Practice, System

NOBODY = "00000000-0000-4000-8000-000000000000"
ENDS = (ImportStaged.TYPE, ImportFailed.TYPE)


async def status(practice: Practice, import_id: str, *wanted: str) -> dict:
    """The import's row of progress, as soon as its status is one of those wanted."""

    async def reached():
        row = await practice.progress(import_id)
        return row if row["status"] in wanted else None

    return await eventually(reached, timeout=30, because=f"the import is {' or '.join(wanted)}")


async def failed(practice: Practice, import_id: str) -> tuple[str, str, str]:
    """Why the import failed, and what staff are told about it."""
    row = await status(practice, import_id, "failed")
    return row["reason"], row["message"], row["what_to_do"]


async def journal_of(system: System, tenant_id: str) -> list:
    """The tenant's events in the journal."""
    (records,) = await read_back(system.settings, JOURNAL)
    return [decode(record.value, JOURNAL) for record in records if record.key == tenant_id.encode()]


async def test_the_story_of_the_demo_ends_as_expected(system: System) -> None:
    """Amended and co-owned, refused and repeated, ignored and back again: until all people have been dealt with."""
    told = Console(file=io.StringIO(), width=110)
    importer = Importer(system.services["importer"].address)
    stage = Stage(system.settings, HARBOUR, system.sandbox, importer, system.notifier)
    as_expected = await play(stage, told)

    assert as_expected, told.file.getvalue()
    async with system.practice(HARBOUR) as practice:
        assert await practice.portal.read(OPEN_ITEMS, CLIENT) == []

        async def over() -> bool:
            imports = [row for row in await practice.all_progress() if row["kind"] == "import"]
            return [row["status"] for row in imports] == ["completed", "superseded"]

        await eventually(over)


async def test_the_list_holds_every_kind_of_action(practice: Practice) -> None:
    """Connecting, adding a client from XPM and importing are rows of their own, each with what staff need to know."""
    linked = await practice.client_of_xpm("oak", "Ann")
    import_id = await practice.request("oak", linked)
    await status(practice, import_id, "ready_for_review")

    rows = {row["kind"]: row for row in await practice.all_progress()}

    assert set(rows) == {"import", "client_added", "connection"}
    assert rows["import"]["to_review"]
    assert rows["import"]["requested_by"] == rows["client_added"]["requested_by"] == STAFF
    assert rows["import"]["personal"]["client_name"] == "oak"
    assert rows["connection"]["connection"] == "connected"


async def test_a_client_that_exists_only_in_the_portal_cannot_be_imported(practice: Practice) -> None:
    """It fails at once, and says that the client has to be added from XPM."""
    await practice.add_client("oak")

    reason, message, what_to_do = await failed(practice, await practice.request("oak"))

    assert reason == "client_not_linked"
    assert "only in the portal" in message
    assert "Add the client from Xero Practice Manager" in what_to_do


async def test_a_client_that_xpm_no_longer_has_cannot_be_imported(practice: Practice) -> None:
    """It fails at once, and says where to look."""
    await practice.add_client("oak", NOBODY)

    reason, message, what_to_do = await failed(practice, await practice.request("oak", NOBODY))

    assert reason == "client_not_found"
    assert "no longer has this client" in message
    assert "Check that the client is still" in what_to_do


async def test_a_practice_that_is_not_connected_cannot_import(system: System) -> None:
    """It fails at once, and says that the practice has to be connected."""
    async with system.practice("not-connected") as practice:
        await practice.add_client("oak", NOBODY)

        reason, message, what_to_do = await failed(practice, await practice.request("oak", NOBODY))

    assert reason == "not_connected"
    assert "is not connected" in message
    assert "Connect the practice" in what_to_do


async def test_an_import_of_a_client_that_the_portal_does_not_know_fails_with_a_sentence(
    practice: Practice,
) -> None:
    """XPM has it and the importer stages it, but nothing can be staged under no client."""
    xpm_client_id = await practice.xpm.add("Elm Pty Ltd")

    reason, message, what_to_do = await failed(practice, await practice.request("elm", xpm_client_id))

    assert reason == "client_not_found"
    assert message.endswith(".")
    assert "Check that the client is still" in what_to_do


async def test_an_outage_of_xpm_passes(practice: Practice) -> None:
    """While XPM is down the import is shown as waiting; it goes on by itself."""
    xpm_client_id = await practice.client_of_xpm("oak", "Ann", "Bob")
    await practice.xpm.trouble("outage", calls=1)
    import_id = await practice.request("oak", xpm_client_id)

    async def is_waiting():
        row = await practice.progress(import_id)
        return row if row["status"] == "fetching" and row.get("waiting") else None

    waiting = await eventually(is_waiting)
    over = await status(practice, import_id, "ready_for_review")

    assert waiting["waiting"]["why"] == "source_unavailable"
    assert "tries again by itself" in waiting["what_to_do"]
    assert instant(waiting["waiting"]["until"]) <= instant(over["moved_at"])
    assert "waiting" not in over
    assert over["counts"]["pending"] == 2


async def test_a_throttled_import_waits_until_xero_said(practice: Practice) -> None:
    """What `Retry-After` says is shown as *waiting until*, and XPM is not asked before."""
    xpm_client_id = await practice.client_of_xpm("oak", "Ann")
    await practice.xpm.trouble("throttle", calls=1, seconds=3)
    import_id = await practice.request("oak", xpm_client_id)

    async def is_waiting():
        row = await practice.progress(import_id)
        return row if row["status"] == "fetching" and row.get("waiting") else None

    waiting = await eventually(is_waiting)
    over = await status(practice, import_id, "ready_for_review")

    assert waiting["waiting"]["why"] == "quota_minute"
    assert "goes on by itself" in waiting["what_to_do"]
    pause = instant(waiting["waiting"]["until"]) - instant(waiting["requested_at"])
    assert pause.total_seconds() >= 3
    assert instant(over["moved_at"]) >= instant(waiting["waiting"]["until"])


async def test_a_practice_that_waits_delays_no_other(practice: Practice, new_practice) -> None:
    """While one practice's XPM answers with nothing but refusals, another's import comes through."""
    stuck = {f"oak-{number}": await practice.client_of_xpm(f"oak-{number}", "Ann") for number in range(12)}
    await practice.xpm.trouble("throttle", seconds=3600)
    async with new_practice() as other:
        quick = await other.client_of_xpm("oak", "Ann")
        waits = [await practice.request(*each) for each in stuck.items()]
        await status(other, await other.request("oak", quick), "ready_for_review")

    assert {(await practice.progress(each))["status"] for each in waits} <= {"queued", "fetching"}


async def test_a_repeated_request_publishes_the_last_event_again(system: System, practice: Practice) -> None:
    """The same request once more changes nothing; whoever missed the end of the import hears of it again."""
    xpm_client_id = await practice.client_of_xpm("oak", "Ann")
    import_id = await practice.request("oak", xpm_client_id)
    await status(practice, import_id, "ready_for_review")
    events = await journal_of(system, practice.tenant_id)

    await ask_again(system, practice, import_id, client_id="oak", xpm_client_id=xpm_client_id)

    async def more() -> list:
        return (await journal_of(system, practice.tenant_id))[len(events) :]

    (again,) = await eventually(more)
    assert again == events[-1]
    assert again.type == ImportStaged.TYPE

    async def results() -> bool:
        rows = await practice.portal.read(
            'SELECT result FROM resolver.decisions WHERE event_id = $1 ORDER BY "offset"', again.id
        )
        return [row["result"] for row in rows] == ["applied", "repeated"]

    await eventually(results)


async def test_another_request_under_a_used_id_is_a_dead_letter(system: System, practice: Practice) -> None:
    """It is kept byte for byte, and the import that has the id is left alone."""
    xpm_client_id = await practice.client_of_xpm("oak", "Ann")
    import_id = await practice.request("oak", xpm_client_id)
    row = await status(practice, import_id, "ready_for_review")

    sent = await ask_again(system, practice, import_id, client_id="elm", xpm_client_id=xpm_client_id)

    async def kept() -> list:
        (letters,) = await read_back(system.settings, REQUESTS.dead_letters)
        return [letter for letter in letters if letter.key == practice.tenant_id.encode()]

    (letter,) = await eventually(kept)
    why = {name: value.decode() for name, value in letter.headers}
    assert letter.value == sent
    assert (why["muster-dead-letter-group"], why["muster-dead-letter-why"]) == ("importer", "id_reused")
    assert why["muster-dead-letter-error"].endswith("IdReused")
    assert await practice.progress(import_id) == row


async def test_imports_of_one_client_are_worked_off_one_at_a_time_and_in_order(
    system: System, practice: Practice
) -> None:
    """Asked for all at once, the next begins when the one before has ended, however slowly XPM answers."""
    xpm_client_id = await practice.client_of_xpm("oak", "Ann", "Bob")
    await practice.xpm.trouble("latency", seconds=0.1)
    wanted = await asyncio.gather(*(practice.request("oak", xpm_client_id) for _ in range(5)))
    await status(practice, wanted[-1], "ready_for_review")

    events = await journal_of(system, practice.tenant_id)
    course = [
        (event.data.import_id, event.type) for event in events if event.type in (ImportStarted.TYPE, *ENDS)
    ]

    assert course == [
        (import_id, step) for import_id in wanted for step in (ImportStarted.TYPE, ImportStaged.TYPE)
    ]
    assert [(await practice.progress(each))["status"] for each in wanted[:-1]] == ["superseded"] * 4


async def test_two_tenants_with_the_same_ids_never_meet(new_practice) -> None:
    """The same ids of clients, parties and events in two practices are different things; nobody reaches across."""
    async with new_practice() as one, new_practice() as other:
        for practice, person in ((one, "Ann"), (other, "Bob")):
            party = await practice.xpm.add(person, uuid=NOBODY)
            client = await practice.xpm.add("Oak Pty Ltd", uuid=NOBODY[:-1] + "1")
            await practice.xpm.relate(client, party, person)
            await practice.add_client("oak", client)
            import_id = await practice.portal.request(
                ImportRequested(client_id="oak", xpm_client_id=client, requested_by=STAFF), "clients/oak"
            )
            await status(practice, import_id, "ready_for_review")
        (ann,) = await one.portal.read(OPEN_ITEMS, "oak")
        (bob,) = await other.portal.read(OPEN_ITEMS, "oak")

        refused = await decide(other, ann["item_id"], "same-id")
        ignored = await decide(one, ann["item_id"], "same-id")

        assert (ann["personal"]["name"], bob["personal"]["name"]) == ("Ann", "Bob")
        assert ann["item_id"] != bob["item_id"]
        assert (refused.result, refused.reason) == ("rejected", "item_not_found")
        assert (ignored.result, [item.state for item in ignored.items]) == ("applied", ["ignored"])
        assert await one.portal.read(OPEN_ITEMS, "oak") == []
        assert await other.portal.read(OPEN_ITEMS, "oak") == [bob]


async def decide(practice: Practice, item_id: str, event_id: str) -> OutcomeRecorded:
    return await practice.portal.tell(
        ItemIgnored(item_id=item_id, decided_by=STAFF), f"items/{item_id}", event_id
    )


async def ask_again(system: System, practice: Practice, import_id: str, **asked: str) -> bytes:
    """Publish a request under an id that is known; what was published."""
    value = encode(
        ImportRequested(requested_by=STAFF, **asked),
        id=import_id,
        source="/tests",
        time="2026-11-23T00:00:00Z",
        subject="clients/oak",
        tenant_id=practice.tenant_id,
    )
    await practice.portal.producer.send_and_wait(
        system.settings.topic_name(REQUESTS), value, key=practice.tenant_id.encode()
    )
    return value


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
