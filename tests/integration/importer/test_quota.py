"""The quota in Postgres, between real processes that call a real sandbox."""

import os
import sys

import pytest

from sandbox.quota import Limits
from tests.support.eventually import eventually
from tests.support.importing.calling import PRACTICE, called_by

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
