"""The portal's API against everything that runs: commands and what they come to, keys, pages, limits and refusals."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from tests.support.browsing.serving import portal_process
from tests.support.eventually import eventually
from tests.support.portal_api import WAIT, calling, got, items_of
from tests.support.processes import ServiceProcess, running
from tests.support.system import Practice, System
from worker.tokens import DEMO_KEY, PORTAL, Tokens


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def portal(system: System, tmp_path_factory) -> AsyncIterator[ServiceProcess]:
    process = portal_process(system, tmp_path_factory.mktemp("api"))
    async with running(process):
        yield process


@pytest.fixture
async def http(portal: ServiceProcess, practice: Practice) -> AsyncIterator[httpx.AsyncClient]:
    """The API, called by somebody of the test's practice."""
    async with calling(portal.address, practice.tenant_id) as http:
        yield http


async def test_the_journey_by_the_api_alone(practice: Practice, http: httpx.AsyncClient) -> None:
    """Clients, an import, the three decisions at once, and members with where each came from."""
    xpm = await practice.client_of_xpm("oak", "Ann", "Bob", "Cy")
    recorded = await http.post("/clients/oak/members", params=WAIT, json={"personal": {"name": "Bobby"}})
    assert (recorded.status_code, recorded.json()["result"]) == (200, "applied")
    asked = await http.post("/imports", json={"client_ids": ["oak", "nobody"]})
    assert (asked.status_code, asked.json()["unknown"], asked.json()["bulk_id"]) == (202, ["nobody"], None)

    ann, bob, cy = await items_of(http, "oak", 3)
    member = await got(http, f"/members/{recorded.json()['command_id']}")
    link = {"member_id": member["member_id"], "seen_item": bob["digest"], "seen_member": member["digest"]}
    decided = await http.post(
        "/decisions",
        params=WAIT,
        json={
            "decisions": [
                {"item_id": ann["item_id"], "decision": "import", "import_as": {"seen": ann["digest"]}},
                {"item_id": bob["item_id"], "decision": "link", "link_to": link},
                {"item_id": cy["item_id"], "decision": "ignore"},
            ]
        },
    )

    assert [each["result"] for each in decided.json()["commands"]] == ["applied"] * 3
    members = (await got(http, "/clients/oak/members"))["members"]
    assert [(each["name"], each["source"]) for each in members] == [("Ann", "imported"), ("Bob", "linked")]
    client = await got(http, "/clients/oak")
    assert (client["xpm_client_id"], client["people"], client["to_review"]) == (xpm, 2, 0)
    import_id = asked.json()["imports"][0]["import_id"]
    row = await got(http, f"/progress/import/{import_id}")
    assert row["counts"]["staged"] == 3


async def test_a_refusal_is_an_outcome_with_a_reason(practice: Practice, http: httpx.AsyncClient) -> None:
    """200, and what a rule says."""
    await practice.add_client("oak")
    person = {"co_owner": True, "personal": {"name": "Ann"}}
    answer = await http.post("/clients/oak/members", params=WAIT, json=person)

    assert answer.status_code == 200
    assert (answer.json()["result"], answer.json()["reason"]) == ("rejected", "email_required")
    assert answer.json()["message"] == "An account co-owner needs an e-mail."


async def test_a_command_under_one_key_is_one_command(practice: Practice, http: httpx.AsyncClient) -> None:
    """Sent twice, even at once, it takes effect once; another under the key is refused."""
    await practice.add_client("oak")
    headers, ann = {"Idempotency-Key": str(uuid4())}, {"personal": {"name": "Ann"}}
    send = [http.post("/clients/oak/members", params=WAIT, headers=headers, json=ann) for _ in range(3)]
    answers = [answer.json() for answer in await asyncio.gather(*send)]
    other = await http.post(
        "/clients/oak/members", params=WAIT, headers=headers, json={"personal": {"name": "Bob"}}
    )

    assert {each["command_id"] for each in answers} == {answers[0]["command_id"]}
    assert {each["result"] for each in answers} == {"applied"}
    assert (other.status_code, other.json()["type"]) == (422, "urn:muster:problem:key-reused")
    assert len((await got(http, "/clients/oak/members"))["members"]) == 1


async def test_an_outcome_is_known_after_a_restart(system: System, practice: Practice, tmp_path) -> None:
    """What was told at once comes from Kafka; who asks a portal that has begun since is answered from the tables."""
    await practice.add_client("oak")
    first, second = (portal_process(system, tmp_path, f"portal-{number}") for number in (1, 2))
    async with running(first), calling(first.address, practice.tenant_id) as http:
        sent = await http.post("/clients/oak/members", json={"personal": {"name": "Ann"}})
        assert sent.status_code == 202
        command_id = sent.json()["command_id"]
        assert (await got(http, f"/commands/{command_id}", **WAIT))["result"] == "applied"
    async with running(second), calling(second.address, practice.tenant_id) as http:
        again = await got(http, f"/commands/{command_id}")

    assert (again["result"], again["client_id"]) == ("applied", "oak")


async def test_what_is_not_known_yet_is_waited_for_no_longer_than_asked(http: httpx.AsyncClient) -> None:
    """An id that nobody has used is answered in time, as not known."""
    began = asyncio.get_running_loop().time()
    answer = await http.get(f"/commands/{uuid4()}", params={"wait": 1})

    assert answer.status_code == 404
    assert 1 <= asyncio.get_running_loop().time() - began < 5


async def test_lists_come_in_pages(practice: Practice, http: httpx.AsyncClient) -> None:
    """Each client once, by name, whatever the size of a page."""
    for name in ("elm", "Ash", "oak", "fir", "Yew"):
        await practice.add_client(name)
    names, cursor = [], None
    while True:
        page = await got(http, "/clients", limit=2, **({"cursor": cursor} if cursor else {}))
        names += [each["name"] for each in page["clients"]]
        cursor = page["next"]
        if cursor is None:
            break

    assert names == ["Ash", "elm", "fir", "oak", "Yew"]


async def test_a_reader_may_change_nothing(portal: ServiceProcess, practice: Practice) -> None:
    """A token without the role is for looking."""
    async with calling(portal.address, practice.tenant_id, role="read_only") as http:
        assert (await http.get("/clients")).status_code == 200
        refused = await http.post("/clients", json={"personal": {"name": "Oak"}})

    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"


async def test_too_much_at_once_is_told_when_to_come_back(
    system: System, practice: Practice, tmp_path
) -> None:
    """Limits are each person's own."""
    portal = portal_process(system, tmp_path, "portal-limited", MUSTER_READS_PER_MINUTE="3")
    async with running(portal), calling(portal.address, practice.tenant_id) as http:
        answers = [await http.get("/clients") for _ in range(4)]
        async with calling(portal.address, "somebody-else") as other:
            assert (await other.get("/clients")).status_code == 200

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 20


async def test_the_stream_is_the_practices_own(portal: ServiceProcess, practice: Practice, http) -> None:
    """It begins with a snapshot and goes on, as the notifier's does."""
    await practice.add_client("oak")
    async with http.stream("GET", "/progress/stream") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.aiter_lines()
        await line_with(lines, "event: snapshot")
        await practice.client_of_xpm("elm")
        assert '"client_id":"elm"' in await line_with(lines, "elm")


async def line_with(lines, words: str) -> str:
    async with asyncio.timeout(20):
        async for line in lines:
            if words in line:
                return line
    raise AssertionError(f"it ended without {words}")


async def test_a_large_body_is_not_taken(portal: ServiceProcess, http: httpx.AsyncClient) -> None:
    """Declared or sent in chunks."""
    large = b'{"personal": {"name": "' + b"x" * (1024 * 1024) + b'"}}'
    json = {"Content-Type": "application/json"}

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 65536):
            yield large[start : start + 65536]

    declared = await http.post("/clients", content=large, headers=json)
    chunked = await http.post("/clients", content=chunks(), headers=json)

    assert (declared.status_code, chunked.status_code) == (413, 413)


async def test_what_is_accepted_says_where_to_ask(practice: Practice, http: httpx.AsyncClient) -> None:
    """202 with an address, at which it is soon known what the command came to."""
    answer = await http.post("/clients", json={"personal": {"name": "Oak & Co"}})
    assert answer.status_code == 202
    at_last = await http.get(answer.headers["location"].removeprefix("/api"), params=WAIT)

    assert (at_last.status_code, at_last.json()["result"]) == (200, "applied")
    asked = await http.post("/imports", json={"client_ids": [answer.json()["command_id"]]})
    row = asked.headers["location"].removeprefix("/api")

    async def listed() -> bool:
        return (await http.get(row)).status_code == 200

    await eventually(listed)


async def test_waiting_may_be_asked_for_as_a_preference(practice: Practice, http: httpx.AsyncClient) -> None:
    """`Prefer: wait=10`; the query's own word goes before it."""
    ann = {"personal": {"name": "Ann"}}
    waited = await http.post("/clients", json=ann, headers={"Prefer": "respond-async, wait=10"})
    not_waited = await http.post("/clients", json=ann, headers={"Prefer": "wait=10"}, params={"wait": 0})

    assert (waited.status_code, waited.headers["preference-applied"]) == (200, "wait=10")
    assert not_waited.status_code == 202
    assert "preference-applied" not in not_waited.headers


async def test_what_is_measured_is_not_to_be_had_where_the_portal_is(portal: ServiceProcess) -> None:
    """Metrics are on a port of their own, without anything to be configured."""
    async with httpx.AsyncClient() as anybody:
        in_public = await anybody.get(f"{portal.address}/metrics")
        inside = await anybody.get(f"{portal.told['metrics']}/metrics")
        health = await anybody.get(f"{portal.address}/health/ready")

    assert in_public.status_code == 404
    assert "muster_" in inside.text
    assert health.status_code == 200


async def test_a_stream_ends_with_the_token_that_opened_it(
    portal: ServiceProcess, practice: Practice
) -> None:
    """However long the portal's own access to the notifier is good."""
    token = Tokens(DEMO_KEY).make(practice.tenant_id, PORTAL, 2, name="Anna Lindqvist")
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx.AsyncClient(base_url=f"{portal.address}/api", headers=headers, timeout=30) as http,
        http.stream("GET", "/progress/stream") as response,
    ):
        said = "".join([text async for text in response.aiter_text()])

    assert said.endswith('event: over\ndata: {"why":"token_expired"}\n\n')
