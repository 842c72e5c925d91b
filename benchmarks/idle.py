"""What the three services cost while nothing happens: `python -m benchmarks.idle`."""

import asyncio
import time
from contextlib import AsyncExitStack

from benchmarks.bench import Bench, Figures, alone
from benchmarks.place import fresh_place

SERVICES = ("importer", "resolver", "notifier")
SETTLE_SECONDS = 5.0


async def measure(bench: Bench) -> Figures:
    """Start them, let them settle, and look at both ends of a while."""
    async with AsyncExitStack() as parts:
        place = await parts.enter_async_context(fresh_place(bench.addresses, bench.stack.folder))
        running = {name: await parts.enter_async_context(place.service(name)) for name in SERVICES}
        await asyncio.sleep(min(SETTLE_SECONDS, bench.options.idle_seconds))
        began, before = time.perf_counter(), {name: each.cpu_seconds() for name, each in running.items()}
        await asyncio.sleep(bench.options.idle_seconds)
        seconds = time.perf_counter() - began
        figures: Figures = {"seconds": seconds}
        for name, each in running.items():
            share = (each.cpu_seconds() - before[name]) / seconds
            figures[name] = {"cpu_share": share, "rss_bytes": each.rss_bytes()}
            bench.tell(f"  {name:9} {share:.2%} of a core, {each.rss_bytes() / 2**20:.0f} MiB")
    return figures


if __name__ == "__main__":
    alone("idle", measure, __doc__)
