"""How long `make run` takes to its first event: `python -m benchmarks.warm`.

In a folder of its own beside the checkout's data, which the first run makes; what counts is the runs after it.
"""

import asyncio
import os
import shutil
import signal
import time
from contextlib import suppress

from benchmarks.bench import Figures, tell
from benchmarks.options import Options
from benchmarks.spread import spread
from stack.settings import StackSettings, project

FIRST_EVENT = b"progress: "
LIMIT_SECONDS = 180
RUNS = 3


async def measure(options: Options, stack: StackSettings) -> Figures:
    """Run it a few times, until its first event each."""
    folder = stack.folder / "bench-run"
    try:
        cold = await _seconds(folder)
        runs = []
        for _ in range(min(RUNS, options.runs)):
            runs.append(await _seconds(folder))
            tell(f"  make run: {runs[-1]:.1f} s to the first event")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {"without_data": cold, "warm": spread(runs)}


async def _seconds(folder: object) -> float:
    """From the command to the first event that it tells of."""
    environment = os.environ | {"MUSTER_FOLDER": str(folder), "PYTHONUNBUFFERED": "1"}
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        "make", "run", cwd=project(), env=environment, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    said = b""
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            async for line in process.stdout:
                said += line
                if FIRST_EVENT in line:
                    return time.perf_counter() - began
        raise RuntimeError(f"make run told of no event:\n{said.decode()[-2000:]}")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        await process.communicate()
