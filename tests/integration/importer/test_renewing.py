"""Several processes and one token set."""

import asyncio
import json
import os
import sys
from pathlib import Path

from tests.support.connecting.desk import KEY, Desk, World

PROCESSES = 4
RENEWALS = int(os.environ.get("RENEWALS", "200"))
PROJECT = Path(__file__).parents[3]


async def test_four_processes_never_break_each_other(desk: Desk, xpm: World) -> None:
    """200 renewals, of every third of which the answer is lost: nobody is ever told `invalid_grant`."""
    await desk.connect()
    xpm.trouble("refresh_lost", percent=33, seed="renewing")
    said = await asyncio.gather(*(_process(xpm, RENEWALS // PROCESSES) for _ in range(PROCESSES)))
    assert all(each["read"] >= RENEWALS // PROCESSES for each in said)
    assert sum(each["lost"] for each in said) > RENEWALS / 5
    assert xpm.sandbox.authority.issues > RENEWALS
    assert xpm.sandbox.authority.refusals == 0
    assert (await desk.connection())["state"] == "connected"


async def _process(xpm: World, until: int) -> dict[str, int]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.connecting.renewing",
        xpm.address,
        xpm.dsn,
        KEY,
        str(until),
        stdout=asyncio.subprocess.PIPE,
        cwd=PROJECT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), 120)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0
    said: dict[str, int] = json.loads(output)
    return said
