"""A list of any size is read in the same memory."""

import asyncio
import json
import sys

from sandbox.chance import made_up_uuid

TENANT = made_up_uuid("tenant", "contract")
LIST = "client.api/list"


async def read_a_list_of(sandbox, megabytes: int) -> dict[str, float]:
    """By a process of its own, which says what it took."""
    sandbox.state.faults.clear()
    await sandbox.trouble(kind="huge", path=LIST, megabytes=megabytes)
    reading = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.xpm.appetite",
        sandbox.url,
        "made-up-contract",
        TENANT,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await reading.communicate()
    return json.loads(output)


async def test_a_list_of_60_megabytes_takes_no_more_memory_than_one_of_6(sandbox):
    """A large practice, notes and all. Ten times the document, and less than a tenth more memory."""
    small, large = [await read_a_list_of(sandbox, megabytes) for megabytes in (6, 60)]

    assert large["bytes"] > 60_000_000
    assert large["clients"] > 9 * small["clients"] > 9 * 2_000
    assert large["most"] / small["most"] < 1.1
