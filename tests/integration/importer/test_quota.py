"""The quota in Postgres, between real processes that call a real sandbox."""

import asyncio
import os
import sys

import pytest

from sandbox.quota import Limits
from services.importer.app import quota_rules
from services.importer.quota.budget import Granted
from services.importer.quota.ledger import Ledger
from services.importer.quota.tolls import Tolls
from services.importer.settings import ImporterSettings
from tests.support.eventually import eventually
from tests.support.importing.calling import PRACTICE, called_by
from tests.support.importing.office import Office

CALLS = int(os.environ.get("QUOTA_CALLS", "450"))
"""10,000 by `make bench-importer`, in windows of a second instead of four."""
QUICKENED = 15 if CALLS < 1_000 else 60
LEARNING = 5
"""Windows in which callers start, and find out when windows begin."""


@pytest.mark.timeout(60 + CALLS / 10)
async def test_processes_that_share_a_quota_use_it_and_are_never_refused(database: str) -> None:
    """Four of them, as its only users, in short windows of which they are told nothing."""
    limits = Limits(day=CALLS * 2).quickened(QUICKENED)
    async with called_by(4, database, limits) as sandbox:
        minute = sandbox.quotas[PRACTICE].minute
        await eventually(lambda: sandbox.calls.total() >= CALLS, timeout=50 + CALLS / 10, interval=0.2)
    refused = {called: number for called, number in sandbox.calls.items() if called.status == 429}
    whole = dict(sorted(minute.history.items())[LEARNING:-1])
    sys.stdout.write(
        f"{sandbox.calls.total():,} calls, {refused} refused; by window {list(whole.values())}\n"
    )
    assert refused == {}
    assert {number: used for number, used in whole.items() if used < 54} == {}


LEFT = {"x-minlimit-remaining": "41", "x-daylimit-remaining": "4000"}


async def call(tolls: Tolls, practice: str, seconds: float) -> None:
    async with tolls.call(practice, "import") as toll:
        await asyncio.sleep(seconds)
        toll.answered(200, LEFT)


async def test_imports_are_worth_having_in_hand_as_a_practice_is_quick_and_has_calls_left(
    office: Office,
) -> None:
    """Half of what it has left, if it is quick; few where it is slow, and none while nobody knows."""
    async with Tolls(Ledger(office.pool, quota_rules(ImporterSettings()))) as tolls:
        assert tolls.ahead("quick") == 0
        await call(tolls, "quick", 0)
        await call(tolls, "slow", 1)
        await eventually(lambda: tolls.ahead("quick") == (41 - 3) // 2)
        await eventually(lambda: 0 < tolls.ahead("slow") <= 4)


async def test_what_a_process_wants_of_a_quota_at_once_is_one_change(office: Office) -> None:
    """Each is answered for itself."""
    ledger = Ledger(office.pool, quota_rules(ImporterSettings()))
    async with Tolls(ledger) as tolls:
        await call(tolls, PRACTICE, 0)
    before = await changes(office)
    granted = await asyncio.gather(
        *(ledger.lease(PRACTICE, f"lease {number}", for_person=False) for number in range(4))
    )
    assert all(isinstance(each, Granted) for each in granted)
    assert await changes(office) == before + 1


async def changes(office: Office) -> int:
    rows = await office.fetch("SELECT changes FROM quotas WHERE xpm_tenant_id = $1", PRACTICE)
    return int(rows[0]["changes"])
