"""`muster xpm-words` against a real Postgres: a practice's own reading of XPM's words."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import asyncpg

from services.importer.xpm.directions import TURNED_ROUND

SETTING = {"t1": {"De facto": {"role": "Spouse", "holder": "both", "party_is": "Spouse"}}}


async def muster(dsn: str, *words: str) -> tuple[int, str]:
    """The exit code, and what was said: the document, or the complaint."""
    variables = {
        "MUSTER_POSTGRES_DSN": dsn,
        "MUSTER_DEMO": "false",
        "MUSTER_OPERATOR": "Nell",
        "MUSTER_XPM_DIRECTIONS": json.dumps(SETTING),
    }
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("muster"), "xpm-words", *words, env=os.environ | variables,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def meanings(dsn: str, *words: str) -> list[dict[str, Any]]:
    code, said = await muster(dsn, "t1", *words, "--json")
    assert code == 0
    found: list[dict[str, Any]] = json.loads(said)["words"]
    return found


async def test_a_word_is_seen_corrected_and_restored(database: str) -> None:
    """Nothing is changed without --apply; who did it is kept with the word and in the audit."""
    correction = ("t1", "De Facto", "--holder", "client", "--role", "Partner")
    (before,) = await meanings(database, "De Facto")
    assert (before["from"], before["party_is"]) == ("setting", "Spouse")
    shown, applied = await muster(database, *correction), await muster(database, *correction, "--apply")
    assert (shown[0], applied[0]) == (0, 0)
    assert "Say --apply to do it." in shown[1]
    (after,) = await meanings(database, "de facto")
    assert after | {"changed_at": ""} == {
        "word": "de facto", "role": "Partner", "holder": "client", "party_is": "Partner",
        "from": "practice", "changed_by": "Nell", "changed_at": "",
    }  # fmt: skip

    assert (await muster(database, "t1", "--as-usual", "--apply"))[0] == 0
    assert await meanings(database, "de facto") == [before]
    connection = await asyncpg.connect(database)
    noted = await connection.fetch(
        "SELECT what, arguments FROM ops.audit WHERE verb = 'xpm-words' ORDER BY at"
    )
    await connection.close()
    assert [row["what"] for row in noted] == ["begun", "done"] * 2
    assert json.loads(noted[0]["arguments"]) == {"tenant_id": "t1", "words": ["de facto"], "as_usual": False}


async def test_all_words_are_turned_round_at_once(database: str) -> None:
    """For a practice that means them so; another one's stay."""
    assert (await muster(database, "t1", "--turn-round", "--apply"))[0] == 0
    found = {each["word"]: each for each in await meanings(database)}
    assert {word: found[word]["holder"] for word in TURNED_ROUND} == {
        word: meaning.holder for word, meaning in TURNED_ROUND.items()
    }
    assert found["de facto"]["from"] == "setting"
    code, said = await muster(database, "t2", "--json")
    assert (code, {each["from"] for each in json.loads(said)["words"]}) == (0, {"standard"})


async def test_words_that_do_not_fit_together_are_refused(database: str) -> None:
    """With the code of a command line that makes no sense."""
    for words in (
        ["--holder", "party"],
        ["Husband", "--party-is", "Wife"],
        ["Husband", "--turn-round"],
        ["Husband", "--holder", "party", "--as-usual"],
        ["x" * 101, "--holder", "party"],
    ):
        assert (await muster(database, "t1", *words, "--apply"))[0] == 2
    assert await meanings(database, "Godparent") == []
