"""What is kept of XPM's records: how fresh it is, and when it goes."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest

from sandbox import harbour
from sandbox.app import sandbox_app
from sandbox.faults import Fault
from sandbox.state import Sandbox, Tenancy
from schemas.people import PersonDetails
from services.importer.domain import Party, Request
from services.importer.mirror import keeping
from services.importer.mirror.parties import COLD_IMPORTS, Freshness, Mirror
from services.importer.mirror.store import Store
from services.importer.xpm.api import Xpm
from services.importer.xpm.calls import Access
from services.importer.xpm.errors import SourceUnavailable
from services.importer.xpm.records import Client
from tests.support.importing.office import Office
from tests.support.importing.requests import request

HOUR, NONE = timedelta(hours=1), timedelta()
PRACTICE, TOKEN = "a-practice", "a-token"


class Desk:
    """Imports of one tenant, with the sandbox's practice and a mirror of it."""

    def __init__(self, office: Office, sandbox: Sandbox, http: httpx.AsyncClient) -> None:
        self.office, self.sandbox = office, sandbox
        self.store = Store(office.pool, timedelta(seconds=30))
        self.practice = sandbox.tenancies[PRACTICE].practice
        self._xpm = Xpm(http, Access(TOKEN, PRACTICE, "http://xpm.example"))

    async def ask(self, *import_ids: str, client: str = harbour.NORTHLIGHT) -> list[Request]:
        requests = [request(each, xpm_client_id=client) for each in import_ids]
        await self.office.take_in(*requests)
        return requests

    def mirror(self, asked: Request, fresh: timedelta = HOUR, practice: str = PRACTICE) -> Mirror:
        return Mirror(self.store, Freshness(fresh, 24 * HOUR, imports=20), asked, self._xpm, practice)

    @property
    def lists(self) -> int:
        return sum(number for called, number in self.sandbox.calls.items() if called.method.endswith("list"))


@pytest.fixture
async def desk(office: Office) -> AsyncIterator[Desk]:
    sandbox = Sandbox([Tenancy(PRACTICE, TOKEN, harbour.harbour_practice())])
    transport = httpx.ASGITransport(sandbox_app(sandbox))
    async with httpx.AsyncClient(transport=transport) as http:
        yield Desk(office, sandbox, http)


MANY = [f"i{number}" for number in range(COLD_IMPORTS)]


async def test_imports_that_wait_together_are_read_by_one_list(desk: Desk) -> None:
    """Also those of other processes, and archived clients; of a client that is asked for later the list is too old."""
    requests = await desk.ask(*MANY)
    for each in requests:
        client = await desk.mirror(each).client(harbour.NORTHLIGHT.upper())
        assert client is not None
        assert len(client.relationships) == 8
    assert desk.lists == 2
    (later,) = await desk.ask("later")
    desk.mirror(later)
    await desk.office.fetch("UPDATE requests SET status = 'ended' WHERE import_id <> 'later'")
    assert await desk.mirror(later).client(harbour.NORTHLIGHT) is None
    assert desk.lists == 2


async def test_one_import_is_not_worth_a_list(desk: Desk) -> None:
    (alone,) = await desk.ask("alone")
    assert await desk.mirror(alone).client(harbour.NORTHLIGHT) is None
    assert desk.lists == 0


async def test_parties_are_known_with_their_marks_and_their_age(desk: Desk) -> None:
    """Archived and deleted ones too; of a deleted one nothing but that it is."""
    before = datetime.now(UTC)
    asked, *_ = await desk.ask(*MANY)
    mirror = desk.mirror(asked)
    await mirror.client(harbour.NORTHLIGHT)
    known = await mirror.known([harbour.MARA, harbour.WREN, harbour.GORDON, harbour.OKAFOR])
    records = {party_id: party.record for party_id, party in known.items()}
    assert records.keys() == {harbour.MARA, harbour.WREN, harbour.GORDON}
    assert records[harbour.MARA].details.email == "mara@northlight.example"
    assert records[harbour.WREN].archived
    assert (records[harbour.GORDON].deleted, records[harbour.GORDON].details.name) == (True, None)
    assert all(before - timedelta(seconds=1) < party.as_of < datetime.now(UTC) for party in known.values())


async def test_what_changed_is_asked_for_when_details_are_old(desk: Desk) -> None:
    """One list of the changes, however many parties."""
    asked, *_ = await desk.ask(*MANY)
    await desk.mirror(asked).client(harbour.NORTHLIGHT)
    desk.practice.amend(harbour.MARA, {"Phone": "0400 000 000"}, datetime.now(UTC))
    desk.sandbox.calls.clear()
    assert await desk.mirror(asked, fresh=NONE).known([harbour.MARA]), "it was asked for before the list"
    assert desk.lists == 0
    (again,) = await desk.ask("again")
    for _ in range(2):
        known = await desk.mirror(again, fresh=NONE).known([harbour.MARA, harbour.TOMAS])
        assert known[harbour.MARA].record.details.phone == "0400 000 000"
        assert desk.lists == 1


async def test_an_import_that_waits_asks_for_no_changes_again(desk: Desk) -> None:
    """However long it waits: what was read since it was asked for is as fresh as the person expects."""
    asked, *_ = await desk.ask(*MANY)
    await desk.mirror(asked).client(harbour.NORTHLIGHT)
    desk.sandbox.calls.clear()
    await desk.office.pool.execute(
        "UPDATE requests SET taken_in_at = taken_in_at - interval '1 day'; "
        "UPDATE mirrors SET fresh_at = fresh_at - interval '23 hours', full_at = full_at - interval '23 hours'; "
        "UPDATE mirror_parties SET as_of = as_of - interval '23 hours'"
    )
    assert (await desk.mirror(asked, fresh=NONE).known([harbour.MARA])).keys() == {harbour.MARA}
    assert desk.lists == 0


@pytest.mark.parametrize("at_once", [1, 500])
async def test_a_list_that_cannot_be_kept_ends_with_that_error(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Records are kept while others are read: what breaks there is not lost, and the list can be read again."""
    monkeypatch.setattr(keeping, "AT_ONCE", at_once)
    asked, *_ = await desk.ask(*MANY)
    await _alter(desk, "ADD CONSTRAINT nothing CHECK (as_of IS NULL)")
    with pytest.raises(asyncpg.CheckViolationError):
        await desk.mirror(asked).client(harbour.NORTHLIGHT)
    await _alter(desk, "DROP CONSTRAINT nothing")
    assert await desk.mirror(asked).client(harbour.NORTHLIGHT)


async def _alter(desk: Desk, what: str) -> None:
    await desk.office.pool.execute(
        f"SET ROLE none; ALTER TABLE mirror_parties {what}; SET ROLE muster_importer"
    )


async def test_lists_that_fail_twice_are_left_alone_for_a_while(desk: Desk) -> None:
    """The first time the import waits and tries again; after the second its client is read by itself."""
    desk.sandbox.faults.add(Fault(kind="outage", path="client.api/list"))
    asked, *_ = await desk.ask(*MANY)
    for _ in range(2):
        with pytest.raises(SourceUnavailable):
            await desk.mirror(asked).client(harbour.NORTHLIGHT)
    desk.sandbox.calls.clear()
    assert await desk.mirror(asked).client(harbour.NORTHLIGHT) is None
    assert desk.lists == 0


async def test_nothing_is_kept_without_the_connection(desk: Desk) -> None:
    """Neither when it is gone, nor when the tenant is connected to another practice."""
    asked, *_ = await desk.ask(*MANY)
    await desk.mirror(asked).client(harbour.NORTHLIGHT)
    await desk.store.erase(["t1"])
    assert await desk.mirror(asked).known([harbour.MARA])
    assert await desk.mirror(asked, practice="another").known([harbour.MARA]) == {}
    await desk.mirror(asked).client(harbour.NORTHLIGHT)
    await desk.store.erase([])
    for table in ("mirrors", "mirror_parties", "mirror_clients"):
        assert await desk.office.fetch(f"SELECT FROM {table}") == []


async def test_changes_are_asked_for_from_before_the_last_reading(desk: Desk) -> None:
    """Ten minutes: clocks differ, and what changed while the list was read may have come too late for it."""
    asked, *_ = await desk.ask(*MANY)
    await desk.mirror(asked).client(harbour.NORTHLIGHT)
    desk.practice.amend(harbour.MARA, {"Phone": "0400 000 000"}, datetime.now(UTC) - timedelta(minutes=9))
    (again,) = await desk.ask("again")
    known = await desk.mirror(again, fresh=NONE).known([harbour.MARA])
    assert known[harbour.MARA].record.details.phone == "0400 000 000"


async def test_everything_is_read_anew_when_it_is_old(desk: Desk) -> None:
    """So that what XPM changed without telling shows, and what has vanished goes."""
    asked, *_ = await desk.ask(*MANY)
    await desk.mirror(asked).client(harbour.NORTHLIGHT)
    desk.practice.amend(harbour.MARA, {"Phone": "0400 000 000"}, datetime.now(UTC) - timedelta(days=300))
    desk.practice.remove(harbour.TOMAS)
    await desk.office.pool.execute("UPDATE mirrors SET full_at = full_at - interval '25 hours'")
    (again,) = await desk.ask("again")
    known = await desk.mirror(again, fresh=NONE).known([harbour.MARA, harbour.TOMAS])
    assert {party_id: party.record.details.phone for party_id, party in known.items()} == {
        harbour.MARA: "0400 000 000"
    }


async def test_rows_hold_no_more_than_an_import_needs(desk: Desk) -> None:
    """Of a party what an item shows, of a client that waits what its import stages: neither notes nor contacts."""
    asked, *_ = await desk.ask(*MANY)
    desk.practice.amend(harbour.NORTHLIGHT, {"ReferralSource": "x", "ExportCode": "y"}, datetime.now(UTC))
    await desk.mirror(asked).client(harbour.NORTHLIGHT)
    parties = await desk.office.fetch(
        "SELECT DISTINCT jsonb_object_keys(details) AS name FROM mirror_parties"
    )
    assert {row["name"] for row in parties} <= {*PersonDetails.model_fields, "postal_address"}
    (client,) = await desk.office.fetch("SELECT DISTINCT record FROM mirror_clients")
    assert Client.model_validate_json(client["record"]).relationships
    assert json.loads(client["record"]).keys() == Client.model_fields.keys() - {"remarks"}


async def test_what_is_read_after_the_connection_is_gone_is_kept_nowhere(desk: Desk) -> None:
    """A list takes minutes: whoever still reads it when the mirror is erased goes on, and leaves nothing behind."""
    asked, *_ = await desk.ask(*MANY)
    mirror = desk.mirror(asked)
    client = await mirror.client(harbour.NORTHLIGHT)
    await desk.store.erase([])
    await desk.store.keep("t1", [client], datetime.now(UTC))
    await desk.store.keep_whole("t1", [client], datetime.now(UTC))
    await mirror.looked_up({harbour.OKAFOR: Party(None, datetime.now(UTC))})
    for table in ("mirrors", "mirror_parties", "mirror_clients"):
        assert await desk.office.fetch(f"SELECT FROM {table}") == []
