"""The client against the sandbox, over real HTTP: every answer is read, every failure has its place in the family."""

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from sandbox import harbour
from sandbox.chance import made_up_uuid
from sandbox.quota import Limits
from services.importer.xpm.errors import (
    ClientNotFound,
    ConnectionLost,
    Forbidden,
    ReconnectRequired,
    SourceInvalid,
    SourceUnavailable,
    Throttled,
    XpmError,
)

MADE_UP_TENANT = made_up_uuid("tenant", "contract")
GET, LIST = "client.api/get", "client.api/list"


class TestAnswers:
    async def test_a_client_comes_with_its_relationships(self, xpm):
        """The demonstration's company, as an import sees it."""
        client = await xpm.read_client(harbour.NORTHLIGHT)

        assert client.details.name == "Northlight Joinery Pty Ltd"
        assert (
            client.details.address == "Unit 4, The Old Sawmill\n18 Quarry Lane\nFernleigh NSW 2999\nAustralia"
        )
        assert [(tie.type, tie.xpm_party_id, tie.start_date) for tie in client.relationships] == [
            ("Director", harbour.MARA, "2011-02-01"),
            ("Shareholder", harbour.MARA, "2011-02-01"),
            ("Director", harbour.TOMAS, "2014-07-01"),
            ("Shareholder", harbour.HOLDINGS, "2016-05-20"),
            ("Secretary", harbour.PRIYA, "2012-03-05"),
            ("Director", harbour.GORDON, "2011-02-01"),
            ("Auditor", harbour.WREN, "2013-09-01"),
            ("Public Officer", harbour.OKAFOR, None),
        ]
        assert [tie.end_date for tie in client.relationships if tie.end_date] == ["2021-06-30"]

    async def test_an_id_is_found_in_any_letter_case(self, xpm):
        """People paste ids in capitals."""
        assert (await xpm.read_client(harbour.MARA.upper())).details.date_of_birth == "1978-04-09"

    async def test_archived_and_deleted_parties_can_be_read(self, xpm):
        """They are flagged; what follows from it is not the client's business."""
        wren, gordon = await xpm.read_client(harbour.WREN), await xpm.read_client(harbour.GORDON)

        assert (wren.archived, wren.deleted) == (True, False)
        assert (gordon.archived, gordon.deleted) == (False, True)

    async def test_a_list_brings_current_clients_by_name(self, xpm):
        """Archived and deleted ones are not among them; a plain list has no relationships."""
        clients = [client async for client in xpm.list_clients(detailed=False)]

        names = [client.details.name for client in clients]
        assert names == sorted(names, key=str.casefold)
        assert not {harbour.WREN, harbour.GORDON} & {client.xpm_client_id for client in clients}
        assert not any(client.relationships for client in clients)

    async def test_a_detailed_list_says_the_same_as_reading_one_by_one(self, sandbox):
        """One call replaces hundreds."""
        xpm = sandbox.xpm("made-up-contract", MADE_UP_TENANT)
        listed = [client async for client in xpm.list_clients(detailed=True)]

        assert len(listed) > 200
        for client in listed[::25]:
            assert client == await xpm.read_client(client.xpm_client_id)

    async def test_what_changed_since_a_moment_comes_with_its_flags(self, sandbox, xpm):
        """A client that was archived meanwhile appears again, once."""
        since = datetime.now(UTC) - timedelta(seconds=2)
        await sandbox.http.patch(sandbox.party(harbour.SALTGRASS), json={"archived": True})

        changed = [client async for client in xpm.list_clients(detailed=True, modified_since=since)]
        assert [(client.xpm_client_id, client.archived) for client in changed] == [(harbour.SALTGRASS, True)]

    async def test_a_search_finds_current_clients_by_a_part_of_their_name(self, xpm):
        """Quotes and ampersands are searched for as they stand."""
        assert [client.xpm_client_id for client in await xpm.search('bakery "BY')] == [harbour.SALTGRASS]
        assert await xpm.search("Wren & Co") == ()
        assert await xpm.search(" \n") == ()
        assert await xpm.search("x" * 100_000) == ()

    async def test_connections_are_the_practices_of_the_token(self, sandbox):
        """Organisations on the same consent are none, and no tenant needs to be known before."""
        (connection,) = await sandbox.xpm(tenant="").connections()

        assert connection.xero_tenant_id == harbour.TENANT_ID
        assert connection.practice_name == harbour.NAME

    async def test_every_record_of_a_made_up_practice_can_be_read(self, sandbox):
        """Whatever is on them."""
        xpm = sandbox.xpm("made-up-contract", MADE_UP_TENANT)
        beginning = datetime(2000, 1, 1, tzinfo=UTC)
        clients = [client async for client in xpm.list_clients(detailed=True, modified_since=beginning)]

        assert len(clients) == 250
        assert all(client.details.name for client in clients)
        assert any(client.archived for client in clients)
        assert not any(client.unreadable_relationships for client in clients)


class TestRefusals:
    async def test_an_unknown_client_is_not_found(self, xpm):
        """XPM says so with HTTP 200; the call's correlation id is kept."""
        with pytest.raises(ClientNotFound) as caught:
            await xpm.read_client(harbour.OKAFOR)

        assert caught.value.correlation_id

    @pytest.mark.parametrize("wanted", ["../staff.api/list", "", "a b", "1?detailed=true"])
    async def test_an_impossible_id_is_not_even_asked_for(self, sandbox, xpm, wanted):
        """An id goes into a path, so it must look like one."""
        with pytest.raises(ClientNotFound):
            await xpm.read_client(wanted)

        assert sandbox.calls(GET) == 0

    async def test_a_bad_token_needs_reconnecting(self, sandbox):
        """401, whatever is asked."""
        xpm = sandbox.xpm(token="garbage")
        for question in (xpm.read_client(harbour.MARA), xpm.search("a"), xpm.connections()):
            with pytest.raises(ReconnectRequired):
                await question

    async def test_another_practice_is_forbidden(self, sandbox):
        """A good token does not open somebody else's records."""
        with pytest.raises(Forbidden):
            await sandbox.xpm(tenant=MADE_UP_TENANT).read_client(harbour.MARA)


class TestTrouble:
    async def test_an_outage_is_told_at_once_and_ends(self, sandbox, xpm):
        """It is not tried again here: whoever asks decides about that."""
        await sandbox.trouble(kind="outage", calls=1)
        with pytest.raises(SourceUnavailable):
            await xpm.read_client(harbour.MARA)

        assert sandbox.calls(GET) == 1
        assert (await xpm.read_client(harbour.MARA)).details.name == "Mara Ellison"

    async def test_nobody_listening_is_an_outage(self, sandbox):
        """A refused connection is no different."""
        async with httpx.AsyncClient() as http:
            unreachable = type(sandbox)("http://127.0.0.1:9", sandbox.state, http)
            with pytest.raises(SourceUnavailable):
                await unreachable.xpm().read_client(harbour.MARA)

    @pytest.mark.parametrize(("problem", "seconds", "wait"), [("minute", 22, 22), ("day", 40_000, 40_000)])
    async def test_a_throttle_says_until_when(self, sandbox, xpm, problem, seconds, wait):
        """Retry-After counts from the answer."""
        await sandbox.trouble(kind="throttle", problem=problem, seconds=seconds)
        before = datetime.now(UTC)
        with pytest.raises(Throttled) as caught:
            await xpm.read_client(harbour.MARA)

        assert caught.value.kind == problem
        assert timedelta(0) <= caught.value.until - before - timedelta(seconds=wait) < timedelta(seconds=5)

    async def test_an_error_with_garbage_is_an_outage(self, sandbox, xpm):
        """Of a 500 nothing is read, so nothing in it can hurt."""
        await sandbox.trouble(kind="error")
        with pytest.raises(SourceUnavailable) as caught:
            await xpm.read_client(harbour.MARA)

        assert caught.value.correlation_id

    async def test_a_token_may_die_between_two_calls(self, sandbox, xpm):
        """The first call is answered, and no later one."""
        await sandbox.trouble(kind="token_dies", calls=1)

        assert (await xpm.read_client(harbour.MARA)).details.name == "Mara Ellison"
        with pytest.raises(ReconnectRequired):
            await xpm.read_client(harbour.MARA)

    async def test_a_list_in_place_of_a_client_is_invalid(self, sandbox, xpm):
        """Or an answer that is far too large for one."""
        for megabytes in (1, 10):
            sandbox.state.faults.clear()
            await sandbox.trouble(kind="huge", megabytes=megabytes)
            with pytest.raises(SourceInvalid):
                await xpm.read_client(harbour.MARA)

    @pytest.mark.parametrize("problem", ["concurrent", "appminute"])
    async def test_other_limits_are_throttles_too(self, sandbox, xpm, problem):
        """Each by its own name."""
        await sandbox.trouble(kind="throttle", problem=problem, seconds=30)
        with pytest.raises(Throttled) as caught:
            await xpm.read_client(harbour.MARA)

        assert caught.value.kind == problem

    async def test_whatever_goes_wrong_stays_in_the_family(self, sandbox, xpm):
        """Every kind of trouble, again and again, with good answers in between."""
        await sandbox.trouble(kind="any", percent=80, seed="contract", seconds=0.001)
        seen = Counter()
        for _ in range(100):
            try:
                seen[(await xpm.read_client(harbour.NORTHLIGHT)).details.name] += 1
            except XpmError as error:
                seen[type(error)] += 1

        assert seen.keys() == {
            "Northlight Joinery Pty Ltd",
            Throttled,
            SourceUnavailable,
            ConnectionLost,
            SourceInvalid,
        }

    @pytest.mark.parametrize("kind", ["malformed", "doctype", "charset"])
    async def test_a_broken_or_hostile_document_is_invalid(self, sandbox, xpm, kind):
        """XML that is not well-formed or in another encoding, and entities that would grow beyond all bounds."""
        await sandbox.trouble(kind=kind)
        with pytest.raises(SourceInvalid) as caught:
            await xpm.read_client(harbour.MARA)

        assert caught.value.correlation_id

    async def test_a_cut_connection_is_tried_once_more(self, sandbox, xpm):
        """Reading changes nothing, so a second try is free."""
        await sandbox.trouble(kind="cut", calls=1)

        assert (await xpm.read_client(harbour.MARA)).details.name == "Mara Ellison"
        assert sandbox.calls(GET) == 2

    async def test_a_connection_cut_twice_is_an_outage(self, sandbox, xpm):
        """There is no third try."""
        await sandbox.trouble(kind="cut")
        with pytest.raises(SourceUnavailable):
            await xpm.read_client(harbour.MARA)

        assert sandbox.calls(GET) == 2

    async def test_a_list_cut_after_its_first_clients_is_not_begun_anew(self, sandbox, xpm):
        """They were handed out, and would come twice."""
        await sandbox.trouble(kind="cut", path=LIST)
        clients = xpm.list_clients(detailed=False)

        assert await anext(clients)
        with pytest.raises(SourceUnavailable):
            [client async for client in clients]
        assert sandbox.calls(LIST) == 1

    async def test_a_slow_answer_does_not_hold_up_others(self, sandbox, xpm):
        """Latency of one record costs that record only."""
        await sandbox.trouble(kind="latency", path=harbour.WREN, seconds=1)
        slow = asyncio.create_task(xpm.read_client(harbour.WREN))
        began = time.monotonic()
        await xpm.read_client(harbour.MARA)

        assert time.monotonic() - began < 0.9
        assert (await slow).archived


class TestQuota:
    @pytest.fixture
    def limits(self) -> Limits:
        return Limits(concurrent=2, minute=5, minute_seconds=3_600)

    async def test_the_minutes_limit_is_a_throttle(self, xpm):
        """The sixth call of a window of five waits for the next window."""
        for _ in range(5):
            await xpm.read_client(harbour.MARA)
        with pytest.raises(Throttled) as caught:
            await xpm.read_client(harbour.MARA)

        assert caught.value.kind == "minute"
        assert 0 < caught.value.retry_after <= 3_600

    async def test_too_many_at_once_is_a_throttle_without_a_time(self, sandbox, xpm):
        """Xero does not say when; a second is our guess."""
        await sandbox.trouble(kind="latency", seconds=0.3)
        answers = await asyncio.gather(
            *(xpm.read_client(harbour.MARA) for _ in range(3)), return_exceptions=True
        )

        (refused,) = [answer for answer in answers if isinstance(answer, Throttled)]
        assert (refused.kind, refused.retry_after) == ("concurrent", 1)
