"""What the words of relationships mean at a practice: seen and corrected over the importer's internal HTTP."""

from typing import Any

import pytest

from sandbox import harbour
from services.importer import wording
from services.importer.xpm.directions import STANDARD
from tests.support.connecting.desk import Desk, World

HUSBAND = {"role": "Husband", "holder": "client", "party_is": "Wife"}


def words(tenant: str = "t1", word: str = "") -> str:
    return f"/internal/tenants/{tenant}/words" + (f"/{word}" if word else "")


async def meaning(desk: Desk, word: str, tenant: str = "t1") -> dict[str, Any]:
    listed = (await desk.api.get(words(tenant))).json()["words"]
    return next(each for each in listed if each["word"] == word)


async def test_every_word_is_shown_with_where_its_meaning_comes_from(xpm: World) -> None:
    """The usual one, and the setting's where there is that."""
    async with xpm.desk(xpm_directions={"t1": {"De facto": STANDARD["spouse"]}}) as desk:
        listed = (await desk.api.get(words())).json()["words"]

    assert {each["word"]: each["from"] for each in listed} == {
        **dict.fromkeys(sorted(STANDARD), "standard"),
        "de facto": "setting",
    }
    director = {"word": "director", "role": "Director", "holder": "party", "party_is": "Director"}
    assert next(each for each in listed if each["word"] == "director") == director | {"from": "standard"}


async def test_a_correction_counts_at_once_and_for_its_practice_only(xpm: World) -> None:
    """It outranks the setting, says who made it, survives a restart, and can be taken back."""
    given = {"Husband": {**HUSBAND, "party_is": "Spouse"}}
    async with xpm.desk(xpm_directions={"t1": given}) as desk:
        answer = await desk.api.put(words(word="%20HUSBAND%20"), json={**HUSBAND, "requested_by": "Anna"})
        assert answer.status_code == 200
        assert answer.json() | {"changed_at": ""} == {
            "word": "husband", **HUSBAND, "from": "practice", "changed_by": "Anna", "changed_at": "",
        }  # fmt: skip
    async with xpm.desk(xpm_directions={"t1": given}) as desk:
        assert (await meaning(desk, "husband"))["party_is"] == "Wife"
        assert (await meaning(desk, "husband", "t2"))["from"] == "standard"
        taken_back = await desk.api.delete(words(word="husband"), params={"requested_by": "Ben"})
        assert taken_back.status_code == 204
        assert (await meaning(desk, "husband"))["from"] == "setting"
        kept = await desk.pool.fetch(
            "SELECT changed_by, meaning IS NULL AS gone FROM wording ORDER BY ordinal"
        )
    assert [tuple(row) for row in kept] == [("Anna", False), ("Ben", True)]


async def test_what_a_party_is_follows_a_correction(
    desk: Desk, xpm: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the process that took it, at once; in others, when what they have read is old enough."""

    async def spouse_is(of: Desk) -> str:
        mara = (await of.api.get(f"/internal/tenants/t1/clients/{harbour.MARA}")).json()
        return next(tie["party_is"] for tie in mara["relationships"] if tie["type"] == "Spouse")

    await desk.connect()
    async with xpm.desk() as other:
        assert (await spouse_is(desk), await spouse_is(other)) == ("Spouse", "Spouse")
        partner = {"role": "Partner", "holder": "both", "party_is": "Partner", "requested_by": "Anna"}
        await desk.api.put(words(word="spouse"), json=partner)
        assert (await spouse_is(desk), await spouse_is(other)) == ("Partner", "Spouse")
        monkeypatch.setattr(wording, "KNOWN_FOR_SECONDS", 0.0)
        other_known = wording.time.monotonic() + 6
        monkeypatch.setattr(wording.time, "monotonic", lambda: other_known)
        assert await spouse_is(other) == "Partner"


@pytest.mark.parametrize(
    ("word", "body", "status"),
    [
        ("husband", {**HUSBAND, "holder": "me", "requested_by": "Anna"}, 422),
        ("husband", {**HUSBAND, "party_is": "", "requested_by": "Anna"}, 422),
        ("husband", HUSBAND, 422),
        ("%20", {**HUSBAND, "requested_by": "Anna"}, 404),
        ("x" * 101, {**HUSBAND, "requested_by": "Anna"}, 404),
        ("%00", {**HUSBAND, "requested_by": "Anna"}, 404),
    ],
)
async def test_what_makes_no_sense_is_refused(
    desk: Desk, word: str, body: dict[str, str], status: int
) -> None:
    """With what is wrong, and nothing is changed."""
    assert (await desk.api.put(words(word=word), json=body)).status_code == status
    assert (await desk.api.delete(words(word="husband"))).status_code == 422
    assert await desk.pool.fetch("SELECT FROM wording") == []
