"""Connecting a practice, from the portal's question to the journal's fact; over HTTP, on a real Postgres."""

from urllib.parse import parse_qs, urlsplit

import pytest

from sandbox import harbour
from services.importer.settings import Connection
from services.portal.importer import Importer
from tests.support.connecting.desk import PORTAL, SECOND, STAFF, Desk, World, told
from worker.problems import Problem

BOTH = (harbour.TENANT_ID, SECOND)


async def state_of(desk: Desk, tenant: str = "t1") -> str:
    return str((await desk.connection(tenant))["state"])


async def test_a_practice_is_connected_by_consent(desk: Desk) -> None:
    """From not connected to connected, and the journal is told by whom."""
    assert await desk.connection() == {"state": "not_connected"}
    assert await desk.connect() == {"connection": "connected"}
    connection = await desk.connection()
    assert (connection["state"], connection["practice_name"]) == ("connected", harbour.NAME)
    (fact,) = await desk.facts()
    assert (fact.state, fact.changed_by) == ("connected", STAFF)
    assert fact.connection_id == connection["connection_id"]
    assert fact.personal is not None
    assert fact.personal.practice_name == harbour.NAME


async def test_the_browser_is_sent_with_a_state_and_a_challenge_and_no_secret(desk: Desk) -> None:
    asked = parse_qs(urlsplit((await desk.authorize()).json()["authorize_url"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["scope"] == ["offline_access practicemanager.client.read"]
    assert len(asked["state"][0]) >= 43
    assert not {"client_secret", "code_verifier"} & asked.keys()


async def test_one_of_several_practices_is_chosen(desk: Desk) -> None:
    """Until then the practice is not connected; afterwards the choice is over, and choosing again changes nothing."""
    assert await desk.connect("t1", *BOTH) == {"connection": "choose_practice"}
    offered = await desk.connection()
    assert offered["state"] == "choose_practice"
    assert sorted(each["practice_name"] for each in offered["practices"]) == [harbour.NAME, "Second & Sons"]
    assert await desk.facts() == []
    (second,) = (it for it in offered["practices"] if it["practice_name"] == "Second & Sons")
    for _ in range(2):
        chosen = await desk.choose(second["connection_id"])
        assert (chosen.status_code, chosen.json()["practice_name"]) == (200, "Second & Sons")
    assert await state_of(desk) == "connected"
    assert [fact.state for fact in await desk.facts()] == ["connected"]


async def test_what_was_not_offered_cannot_be_chosen(desk: Desk) -> None:
    await desk.connect("t1", *BOTH)
    refused = await desk.choose("11111111-2222-4333-8444-555555555555")
    assert (refused.status_code, refused.headers["content-type"]) == (404, "application/problem+json")
    assert await state_of(desk) == "choose_practice"
    elsewhere = await desk.choose((await desk.connection())["practices"][0]["connection_id"], tenant="t2")
    assert elsewhere.status_code == 404, "another tenant's choice"


async def test_a_consent_that_is_refused_connects_nothing(desk: Desk) -> None:
    assert await desk.connect(allow=False) == {"connection": "failed", "reason": "access_denied"}
    assert await state_of(desk) == "not_connected"


async def test_a_state_works_once(desk: Desk) -> None:
    """Whoever replays the address at which the browser came back gets nowhere."""
    begun = (await desk.authorize()).json()
    back = await desk.browser.consent(begun["authorize_url"], BOTH[:1])
    state = parse_qs(urlsplit(begun["authorize_url"]).query)["state"][0]
    again = await desk.api.get("/oauth/callback", params={"state": state, "code": "whatever"})
    assert again.status_code == 400
    assert await desk.complete(begun, back) == {"connection": "connected"}
    assert await desk.complete(begun, back) == {"connection": "failed", "reason": "over"}
    assert "Begin again in the portal" in again.text
    assert (await desk.api.get("/oauth/callback", params={"code": "x"})).status_code == 400


async def test_a_state_belongs_to_one_tenant(desk: Desk) -> None:
    """Two tenants connect at once, each with its own person: each gets the practice that was consented to for it."""
    one = (await desk.authorize("t1")).json()
    two = (await desk.authorize("t2")).json()
    for tenant, begun, practice in (("t2", two, SECOND), ("t1", one, harbour.TENANT_ID)):
        back = await desk.browser.consent(begun["authorize_url"], [practice], f"{tenant}@x.example")
        assert await desk.complete(begun, back, tenant) == {"connection": "connected"}
    names = [(await desk.connection(tenant))["practice_name"] for tenant in ("t1", "t2")]
    assert names == [harbour.NAME, "Second & Sons"]


async def test_a_consent_counts_only_in_the_browser_that_began(desk: Desk, xpm: World) -> None:
    """
    Somebody of t1 sends their consent page to a person of another practice, who allows it.

    Their code connects that practice to t1 only together with what t1's browser has kept, and that never meets.
    """
    begun = (await desk.authorize("t1")).json()
    back = await desk.browser.consent(begun["authorize_url"], [SECOND], "lured@x.example")
    lured = (await desk.authorize("t2")).json()
    assert await desk.complete(lured, back, "t2") == {"connection": "failed", "reason": "another_browser"}
    assert await desk.complete(begun, back, "t1") == {"connection": "failed", "reason": "over"}
    assert [await state_of(desk, tenant) for tenant in ("t1", "t2")] == ["not_connected"] * 2
    assert xpm.sandbox.authority.issues == 0, "no code was exchanged"


@pytest.mark.parametrize("proof", ["", "guessed", "x" * 200])
async def test_an_attempt_is_completed_with_its_proof_only(desk: Desk, proof: str) -> None:
    begun = (await desk.authorize()).json()
    back = await desk.browser.consent(begun["authorize_url"], BOTH[:1])
    assert (await desk.complete(begun | {"proof": proof}, back))["reason"] == "another_browser"
    assert (await desk.complete(begun, back))["reason"] == "over", "nobody tries again"


async def test_who_began_cannot_complete_without_the_ticket(desk: Desk) -> None:
    """The state is known to whoever began, and so is the proof; only the browser that consented has the ticket."""
    begun = (await desk.authorize()).json()
    await desk.browser.consent(begun["authorize_url"], BOTH[:1])
    state = parse_qs(urlsplit(begun["authorize_url"]).query)["state"][0]
    for guessed in (state, begun["proof"], ""):
        result = await desk.complete(begun, f"{PORTAL}?connection=confirm&ticket={guessed or '-'}")
        assert result == {"connection": "failed", "reason": "over"}
    assert await state_of(desk) == "not_connected"


async def test_what_is_kept_of_an_attempt_opens_nothing(desk: Desk) -> None:
    """Who reads the table finds digests and what is encrypted."""
    begun = (await desk.authorize()).json()
    back = told(await desk.browser.consent(begun["authorize_url"], BOTH[:1]))
    row = await desk.pool.fetchval("SELECT authorizations::text FROM authorizations")
    state = parse_qs(urlsplit(begun["authorize_url"]).query)["state"][0]
    for secret in (state, begun["proof"], back["ticket"]):
        assert secret not in row
        assert secret.encode().hex() not in row


async def test_an_attempt_is_completed_in_time(desk: Desk) -> None:
    begun = (await desk.authorize()).json()
    back = await desk.browser.consent(begun["authorize_url"], BOTH[:1])
    await desk.pool.execute("UPDATE authorizations SET expires_at = clock_timestamp()")
    assert await desk.complete(begun, back) == {"connection": "failed", "reason": "expired"}


async def test_a_state_is_over_after_a_while(desk: Desk) -> None:
    address = (await desk.authorize()).json()["authorize_url"]
    await desk.pool.execute("UPDATE authorizations SET expires_at = clock_timestamp()")
    assert told(await desk.browser.consent(address, BOTH[:1])) == {
        "connection": "failed",
        "reason": "expired",
    }


async def test_a_code_without_its_verifier_is_worth_nothing(desk: Desk) -> None:
    """A code that somebody caught on its way and brings to an attempt of their own fails at Xero."""
    caught = (await desk.authorize("t2")).json()["authorize_url"]
    begun = (await desk.authorize("t1")).json()
    own = parse_qs(urlsplit(begun["authorize_url"]).query)["state"][0]
    page = caught.replace(parse_qs(urlsplit(caught).query)["state"][0], own)
    back = await desk.browser.consent(page, BOTH[:1])
    assert await desk.complete(begun, back) == {"connection": "failed", "reason": "refused"}
    assert await state_of(desk) == "not_connected"


async def test_one_practice_belongs_to_one_tenant(desk: Desk) -> None:
    """Somebody who serves two practices consents to the wrong one: it is refused, and the first stays connected."""
    await desk.connect("t1", user="serves.two@x.example")
    assert await desk.connect("t2", user="serves.two@x.example") == {
        "connection": "failed",
        "reason": "practice_taken",
    }
    await desk.ending.try_at_once("t2")
    assert await state_of(desk) == "connected"
    assert (await desk.api.get("/internal/tenants/t1/clients", params={"query": "o"})).status_code == 200


async def test_a_practice_that_is_connected_again_needs_no_choice(desk: Desk) -> None:
    await desk.connect("t1")
    assert await desk.connect("t1", *BOTH) == {"connection": "connected"}
    assert (await desk.connection())["practice_name"] == harbour.NAME


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "http://127.0.0.1@evil.example/",
        "javascript:alert(1)",
        "http://127.0.0.1.evil/",
    ],
)
async def test_browsers_are_sent_back_to_portals_only(desk: Desk, address: str) -> None:
    refused = await desk.authorize(return_url=address)
    assert refused.status_code == 400
    assert refused.json()["type"] == "urn:muster:problem:foreign-return-url"


async def test_xero_being_away_is_said(desk: Desk, xpm: World) -> None:
    xpm.trouble("outage", path="/connect/token")
    assert await desk.connect() == {"connection": "failed", "reason": "source_unavailable"}


async def test_disconnecting_revokes_and_forgets(desk: Desk, xpm: World) -> None:
    """Nothing of the tokens is left here, and nothing of the consent at Xero; the journal is told by whom."""
    await desk.connect()
    assert (await desk.disconnect()).status_code == 204
    assert await desk.connection() == {"state": "not_connected"}
    assert [(fact.state, fact.changed_by) for fact in await desk.facts()] == [
        ("connected", STAFF),
        ("disconnected", STAFF),
    ]
    assert await desk.pool.fetchval("SELECT count(*) FROM connections WHERE tokens IS NOT NULL") == 0
    assert await desk.pool.fetchval("SELECT count(*) FROM revocations") == 0
    assert xpm.sandbox.authority.connections == {}
    assert (await desk.disconnect()).status_code == 204, "again"
    assert len(await desk.facts()) == 2


async def test_what_was_kept_of_the_practice_goes_with_the_connection(desk: Desk) -> None:
    """At once, and nobody else's."""
    await desk.connect()
    await desk.pool.execute("INSERT INTO mirrors (tenant_id, xpm_tenant_id) VALUES ('t1', 'x'), ('t2', 'x')")
    for tenant in ("t1", "t2"):
        await desk.pool.execute(
            "INSERT INTO mirror_parties (tenant_id, xpm_client_id, as_of) VALUES ($1, 'p', now())", tenant
        )
    await desk.disconnect()
    assert [row["tenant_id"] for row in await desk.pool.fetch("SELECT tenant_id FROM mirror_parties")] == [
        "t2"
    ]


async def test_a_consent_that_does_not_cover_clients_is_forbidden_and_stays(xpm: World) -> None:
    """The practice is still among what the token reaches: connecting again would change nothing."""
    async with xpm.desk(xpm_scopes="offline_access practicemanager.staff.read") as desk:
        assert await desk.connect() == {"connection": "connected"}
        answer = await desk.api.get("/internal/tenants/t1/clients", params={"query": "north"})
        assert (answer.status_code, answer.json()["reason"]) == (403, "forbidden")
        assert await state_of(desk) == "connected"


async def test_a_consent_that_serves_another_tenant_is_not_revoked(desk: Desk) -> None:
    """Revoking would take the other practice's connection away at Xero; only this practice's own is."""
    await desk.connect("t1", user="serves.two@x.example")
    await desk.connect("t2", *BOTH, user="serves.two@x.example")
    practices = (await desk.connection("t2"))["practices"]
    (second,) = (it["connection_id"] for it in practices if it["practice_name"] == "Second & Sons")
    assert (await desk.choose(second, "t2")).status_code == 200
    await desk.disconnect("t2")
    await desk.expire("t1")
    assert (await desk.api.get("/internal/tenants/t1/clients", params={"query": "o"})).status_code == 200


async def test_disconnecting_goes_on_when_xero_is_back(desk: Desk, xpm: World) -> None:
    """A person can disconnect whatever Xero does; the tokens stay encrypted until they are revoked."""
    await desk.connect()
    xpm.trouble("outage")
    assert (await desk.disconnect()).status_code == 204
    assert await state_of(desk) == "not_connected"
    assert await desk.pool.fetchval("SELECT count(*) FROM revocations") == 1
    xpm.sandbox.faults.clear()
    await desk.pool.execute("UPDATE revocations SET due_at = clock_timestamp()")
    await desk.ending.try_at_once("t1")
    assert await desk.pool.fetchval("SELECT count(*) FROM revocations") == 0
    assert xpm.sandbox.authority.connections == {}


async def test_a_given_connection_is_changed_where_it_is_given(xpm: World) -> None:
    given = {"t1": Connection(xpm_tenant_id=harbour.TENANT_ID, access_token=harbour.TOKEN, practice_name="H")}
    async with xpm.desk(xpm_connections=given) as desk:
        assert await desk.connection() == {
            "state": "connected",
            "connection_id": harbour.TENANT_ID,
            "practice_name": "H",
        }
        assert (await desk.authorize()).status_code == (await desk.disconnect()).status_code == 409
        with pytest.raises(Problem, match="only they can change it"):
            await Importer(desk.api, None).disconnect("t1", STAFF)
        assert await desk.connect("t2") == {"connection": "failed", "reason": "practice_taken"}


async def test_staff_are_told_why_a_practice_cannot_be_chosen(desk: Desk) -> None:
    """By a portal, in words of its own: the practice is another one's, or is not offered any more."""
    portal = Importer(desk.api, None)
    await desk.connect("t1")
    await desk.connect("t2", *BOTH)
    offered = {each.practice_name: each for each in (await portal.connection("t2")).practices}
    with pytest.raises(
        Problem, match="Another practice of this portal is connected to that practice"
    ) as taken:
        await portal.choose("t2", offered[harbour.NAME].connection_id, "Wim")
    with pytest.raises(Problem, match="can't be chosen any more: connect again") as gone:
        await portal.choose("t2", "11111111-2222-4333-8444-555555555555", "Wim")
    assert {taken.value.status, gone.value.status} == {409}
    await portal.choose("t2", offered["Second & Sons"].connection_id, "Wim")
    assert (await portal.connection("t2")).practice_name == "Second & Sons"


async def test_the_api_asks_who_is_there(desk: Desk) -> None:
    """All of it but the address at which browsers come back."""
    for authorization in ("", "Bearer wrong", "Basic dTpw"):
        refused = await desk.api.get(
            "/internal/tenants/t1/connection", headers={"authorization": authorization}
        )
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer realm="muster"')


async def test_bad_requests_are_told_what_is_wrong(desk: Desk) -> None:
    path = "/internal/tenants/t1/connection/authorize"
    assert (await desk.api.post(path, content=b"{")).status_code == 400
    assert (await desk.api.post(path, content=b" " * 30_000)).status_code == 413
    unfit = await desk.api.post(path, json={"return_url": PORTAL})
    assert (unfit.status_code, unfit.json()["errors"][0]["field"]) == (422, "requested_by")
    assert (await desk.api.get("/internal/tenants/t%20x/connection")).status_code == 404
    assert (await desk.api.get("/internal/tenants/t1/nothing")).json()["status"] == 404
