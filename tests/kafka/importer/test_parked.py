"""A practice that waits for its quota costs the others nothing."""

import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from statistics import median

import pytest

from tests.support.eventually import eventually
from tests.support.importing.importer import Importer, prepare_importer

PAIRS = int(os.environ.get("PARKED_PAIRS", "0"))
"""5 by `make bench-importer`."""
PARKED_SECONDS = 60
OTHERS = [f"t{number}" for number in range(1, 6)]
IMPORTS = 6


@pytest.fixture
async def importer(
    kafka_address: str, database: str, topic_prefix: str, tmp_path: Path
) -> AsyncIterator[Importer]:
    async with prepare_importer(kafka_address, database, topic_prefix, tmp_path) as importer:
        yield importer


async def makespan(importer: Importer, run: str, *, parked: bool) -> float:
    """Seconds until the imports of the other practices have ended, at 50 ms for each answer."""
    importer.sandbox.faults.clear()
    for tenant in OTHERS:
        importer.trouble(tenant, kind="latency", seconds=0.05)
    if parked:
        importer.trouble("t0", kind="throttle", calls=1, seconds=PARKED_SECONDS)
        await importer.ask(*(("t0", f"{run}-{number}", f"c{number}") for number in range(20)))
        await eventually(lambda: is_paused(importer), timeout=20)
    begun = time.monotonic()
    await importer.ask(*((each, f"{run}-{n}", f"c{n}") for each in OTHERS for n in range(IMPORTS)))
    await eventually(lambda: all_ended(importer, run), timeout=PARKED_SECONDS - 5, interval=0.02)
    if parked:
        assert await is_paused(importer)
    return time.monotonic() - begun


async def all_ended(importer: Importer, run: str) -> bool:
    rows = await importer.fetch(
        "SELECT count(*) AS number FROM importer.requests "
        "WHERE tenant_id = ANY ($1) AND import_id LIKE $2 AND status = 'ended'",
        OTHERS,
        f"{run}-%",
    )
    return bool(rows[0]["number"] == len(OTHERS) * IMPORTS)


async def is_paused(importer: Importer) -> bool:
    return bool(
        await importer.fetch(
            "SELECT FROM importer.turns WHERE tenant_id = 't0' AND paused_until > clock_timestamp()"
        )
    )


async def release(importer: Importer) -> None:
    """Let the parked practice's time be over, and its imports end."""
    importer.sandbox.faults.clear()
    await importer.fetch("DELETE FROM importer.quotas WHERE xpm_tenant_id = 'xpm-of-t0'")
    await importer.fetch("UPDATE importer.turns SET paused_until = NULL")
    await importer.fetch("UPDATE importer.requests SET ready_at = clock_timestamp() WHERE status = 'queued'")
    await eventually(importer.ended, timeout=60)


async def test_others_finish_while_a_practice_is_parked(importer: Importer) -> None:
    """All of them, long before it goes on."""
    async with importer.running():
        await makespan(importer, "run", parked=True)


@pytest.mark.skipif(not PAIRS, reason="takes minutes: make bench-importer")
@pytest.mark.timeout(PAIRS * 120 + 60)
async def test_others_are_as_quick_as_without_a_parked_practice(importer: Importer) -> None:
    """The median of several pairs, in turns."""
    times: dict[bool, list[float]] = {True: [], False: []}
    async with importer.running():
        await makespan(importer, "first", parked=False)
        for pair in range(PAIRS):
            for parked in (pair % 2 == 0, pair % 2 == 1):
                times[parked].append(await makespan(importer, f"{pair}{parked}", parked=parked))
                await release(importer)
    with_one, without = median(times[True]), median(times[False])
    sys.stdout.write(
        f"with a parked practice {with_one:.2f} s, without {without:.2f} s: {with_one / without:.2f}\n"
    )
    assert with_one <= 1.2 * without
