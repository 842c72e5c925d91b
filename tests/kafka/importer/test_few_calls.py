"""How many calls imports take, on a made-up practice whose clients have twelve relationships each."""

import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from sandbox.mix import Mix
from sandbox.practice import Practice
from sandbox.seeded import seeded_practice
from schemas.imports import ItemStaged
from tests.support.eventually import eventually
from tests.support.importing.importer import Importer, kinds, prepare_importer

IMPORTS = int(os.environ.get("FEW_CALLS_IMPORTS", "40"))
"""1,000 by `make bench-importer`."""
SECONDS = 60 + IMPORTS / 4
MIX = Mix(archived=3, deleted=0, dangling=1, ended=0, relationships=12)


@pytest.fixture(scope="module")
def practice() -> Practice:
    return seeded_practice("few calls", IMPORTS * 3, MIX)


@pytest.fixture
async def importer(
    kafka_address: str, database: str, topic_prefix: str, tmp_path: Path, practice: Practice
) -> AsyncIterator[Importer]:
    async with prepare_importer(
        kafka_address, database, topic_prefix, tmp_path, tenants=2, made_up=practice
    ) as importer:
        yield importer


def clients(practice: Practice) -> list[str]:
    current = [uuid for uuid, party in practice.parties.items() if party.is_current]
    return [uuid for uuid in current if len(practice.parties[uuid].relationships) == 12][:IMPORTS]


async def items(importer: Importer) -> list[ItemStaged]:
    return [event.data for event in await importer.journal() if isinstance(event.data, ItemStaged)]


def said(importer: Importer) -> str:
    answered = Counter(called.method for called in importer.sandbox.calls.elements())
    return ", ".join(f"{number} {method}" for method, number in answered.items())


@pytest.mark.timeout(SECONDS * 4)
async def test_many_imports_of_a_practice_at_once_take_few_calls(
    importer: Importer, practice: Practice
) -> None:
    """Two lists bring all clients and parties; of the parties that they do not bring a few are looked up.

    Then the same clients one after another: their relationships are read anew, the details of parties are known.
    """
    asked = clients(practice)
    assert len(asked) == IMPORTS
    await importer.ask_for("t0", asked)
    async with importer.running():
        await eventually(lambda: have_ended(importer, IMPORTS), timeout=SECONDS, interval=0.2)
        at_once, how = importer.calls("t0"), said(importer)
        staged = await items(importer)
        importer.sandbox.calls.clear()
        for number, client in enumerate(asked, start=IMPORTS + 1):
            await importer.ask_for("t0", [client], run="again-")
            await eventually(partial(have_ended, importer, number), timeout=30, interval=0.01)
    warm = importer.calls("t0")
    stubs, archived = sum(item.stub for item in staged), sum(item.archived for item in staged)
    sys.stdout.write(
        f"{IMPORTS:,} imports, {len(staged):,} items, {archived} of them archived, {stubs} stubs: {at_once} calls "
        f"at once ({how}); one after another {warm / IMPORTS:.3f} each ({said(importer)})\n"
    )
    assert at_once <= 30
    assert warm <= 1.2 * IMPORTS
    ended = Counter(kinds(course)[-1] for course in (await importer.courses()).values())
    assert ended == {"staged": 2 * IMPORTS}
    assert len(staged) == 12 * IMPORTS
    assert (stubs, archived) == gone_and_archived(practice, asked)


async def have_ended(importer: Importer, number: int) -> bool:
    rows = await importer.fetch("SELECT count(*) AS number FROM importer.requests WHERE status = 'ended'")
    return bool(rows[0]["number"] == number)


def gone_and_archived(practice: Practice, asked: list[str]) -> tuple[int, int]:
    """How many relationships lead to a client that is gone, and to one that is archived."""
    parties = [
        practice.parties.get(tie.party_uuid) for each in asked for tie in practice.parties[each].relationships
    ]
    return sum(party is None for party in parties), sum(
        party is not None and party.archived for party in parties
    )
