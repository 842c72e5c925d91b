"""The quota in Postgres, between real processes that call a real sandbox."""

import pytest

from sandbox.quota import Limits
from tests.support.eventually import eventually
from tests.support.importing.calling import PRACTICE, called_by

LEARNING = 4
"""Windows in which callers find out when windows begin."""


@pytest.mark.timeout(120)
async def test_processes_that_share_a_quota_use_it_and_are_never_refused(database: str) -> None:
    """Four of them, as its only users, in windows of four seconds of which they are told nothing."""
    limits = Limits(day=20_000).quickened(15)
    async with called_by(4, database, limits) as sandbox:
        minute = sandbox.quotas[PRACTICE].minute
        await eventually(lambda: len(minute.history) > LEARNING + 3, timeout=80, interval=0.2)
    refused = {called: number for called, number in sandbox.calls.items() if called.status == 429}
    assert refused == {}
    whole = dict(sorted(minute.history.items())[LEARNING:-1])
    assert {number: used for number, used in whole.items() if used < 54} == {}
