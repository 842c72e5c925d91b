"""What every part of the benchmark is given, and where it keeps what it measured."""

import asyncio
import json
import logging
import os
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.options import Options, parsed, parser
from benchmarks.usage import Servers, servers
from stack.opening import open_stack
from stack.settings import Addresses, StackSettings, project

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bench:
    """One run on one machine, with one Kafka and one Postgres."""

    options: Options
    stack: StackSettings
    addresses: Addresses
    servers: Servers

    def tell(self, line: str) -> None:
        """Say how it goes."""
        tell(line)


Part = Callable[[Bench], Awaitable[Figures]]


def tell(line: str) -> None:
    """A line of progress, with the time and how busy the machine is."""
    print(f"{time.strftime('%H:%M:%S')} load {os.getloadavg()[0]:.1f}  {line}", flush=True)


@asynccontextmanager
async def opened(options: Options) -> AsyncIterator[Bench]:
    """Have a Kafka and a Postgres to measure on."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # every new topic has no leader at first
    stack = StackSettings.from_environment()
    async with open_stack(stack, "make bench", tell) as addresses:
        yield Bench(options, stack, addresses, servers(addresses))


def folder(stack: StackSettings, *, quick: bool) -> Path:
    """Where results are kept: those that the page is made of beside it, so that a part of them can be repeated."""
    made = stack.folder / "bench-quick" if quick else project() / "benchmarks" / "results"
    made.mkdir(parents=True, exist_ok=True)
    return made


async def run(name: str, measure: Callable[[], Awaitable[Figures]], options: Options, results: Path) -> bool:
    """Measure one part and keep what came out; a part that fails is kept as that, and the others go on."""
    tell(f"{name}:")
    load, pace = os.getloadavg()[0], machine.pace()
    began = time.time()
    try:
        figures = await measure()
    except Exception as error:  # noqa: BLE001 - whatever it is, the other parts are worth having
        traceback.print_exc()
        figures = {"failed": f"{type(error).__name__}: {error}"[:2000]}
    keep(results, name, options, figures, began, {"load_before": round(load, 2), "pace_ms": round(pace)})
    tell(f"{name}: {time.time() - began:.0f} s")
    return "failed" not in figures


def keep(
    results: Path, name: str, options: Options, figures: Figures, began: float, before: Mapping[str, float]
) -> None:
    """Write one part's result, whole or not at all; `before` says how the machine was before it."""
    document = {
        "part": name,
        "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began)),
        "seconds": round(time.time() - began, 1),
        **before,
        "options": asdict(options),
        "machine": machine.facts(),
        "figures": figures,
    }
    unfinished = results / f"{name}.unfinished"
    unfinished.write_text(json.dumps(document, indent=1), encoding="utf-8")
    unfinished.rename(results / f"{name}.json")


def kept(results: Path) -> Mapping[str, Any]:
    """Every part's result that is there."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("*.json"))
    }


def alone(name: str, part: Part, description: str | None) -> None:
    """Measure one part by itself: `python -m benchmarks.PART`."""
    arguments = parser(description).parse_args()
    if not asyncio.run(_alone(name, part, parsed(arguments), quick=arguments.quick)):
        raise SystemExit(1)


async def _alone(name: str, part: Part, options: Options, *, quick: bool) -> bool:
    async with opened(options) as bench:
        return await run(name, lambda: part(bench), options, folder(bench.stack, quick=quick))
