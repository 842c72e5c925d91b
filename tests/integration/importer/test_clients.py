"""XPM's clients over the internal API, for people who wait."""

import pytest

from sandbox import harbour
from tests.support.connecting.desk import Desk, World

CLIENTS = "/internal/tenants/t1/clients"


async def test_clients_are_found(desk: Desk) -> None:
    await desk.connect()
    answer = await desk.api.get(CLIENTS, params={"query": "ellison"})
    found = {each["xpm_client_id"]: each for each in answer.json()["clients"]}
    assert found[harbour.MARA] == {
        "xpm_client_id": harbour.MARA,
        "name": "Mara Ellison",
        "email": "mara@northlight.example",
        "business_structure": "Individual",
        "archived": False,
    }
    assert answer.json()["complete"] is True


async def test_a_client_is_read_with_its_relationships(desk: Desk) -> None:
    await desk.connect()
    client = (await desk.api.get(f"{CLIENTS}/{harbour.NORTHLIGHT.upper()}")).json()
    assert (client["xpm_client_id"], client["name"]) == (harbour.NORTHLIGHT, "Northlight Joinery Pty Ltd")
    ties = {(tie["type"], tie["party_name"]): tie["ended"] for tie in client["relationships"]}
    assert ties["Director", "Mara Ellison"] is False
    assert ties["Secretary", "Priya Nair"] is True


async def test_nobody_finds_anything_without_a_connection(desk: Desk) -> None:
    for path in (f"{CLIENTS}?query=x", f"{CLIENTS}/{harbour.MARA}"):
        answer = await desk.api.get(path)
        assert (answer.status_code, answer.json()["reason"]) == (409, "not_connected")


@pytest.mark.parametrize(
    ("trouble", "status", "reason"),
    [
        ({"kind": "outage"}, 503, "source_unavailable"),
        ({"kind": "malformed"}, 502, "source_invalid"),
        ({"kind": "throttle", "problem": "minute", "seconds": 22}, 503, "quota_minute"),
        ({"kind": "throttle", "problem": "day", "seconds": 7_000}, 503, "quota_day"),
    ],
)
async def test_trouble_is_told_by_its_reason(
    desk: Desk, xpm: World, trouble: dict[str, object], status: int, reason: str
) -> None:
    await desk.connect()
    xpm.trouble(**trouble)
    answer = await desk.api.get(f"{CLIENTS}/{harbour.MARA}")
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    if "seconds" in trouble:
        assert answer.json()["retry_after"] == trouble["seconds"] == int(answer.headers["retry-after"])


async def test_a_client_that_is_not_there(desk: Desk) -> None:
    await desk.connect()
    for unknown in (harbour.OKAFOR, "no%2Fid", "%00"):
        answer = await desk.api.get(f"{CLIENTS}/{unknown}")
        assert (answer.status_code, answer.json()["reason"]) == (404, "client_not_found")


@pytest.mark.parametrize("query", ["", "query=", "query=" + "x" * 201, "query=a&page=2"])
async def test_a_search_needs_a_text(desk: Desk, query: str) -> None:
    assert (await desk.api.get(f"{CLIENTS}?{query}")).status_code == 422


async def test_a_relationship_says_what_the_party_is(xpm: World) -> None:
    """By the direction of the word, which a practice may correct; a word that nobody knows says nothing."""
    turned = {"Director Of": {"role": "Director", "holder": "party", "party_is": "Director"}}
    async with xpm.desk(xpm_directions={"t1": turned}) as desk:
        await desk.connect()
        mara = (await desk.api.get(f"{CLIENTS}/{harbour.MARA}")).json()

    assert {tie["type"]: tie["party_is"] for tie in mara["relationships"]} == {
        "Director Of": "Director",
        "Shareholder Of": "Company owned in part",
        "Spouse": "Spouse",
        "Appointor Of": "Trust",
    }
