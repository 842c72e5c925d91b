"""Measurements that can be made by themselves too, as parts of the whole: the importer, and a lost database."""

from dataclasses import asdict
from statistics import median
from typing import Any

from benchmarks import replaying
from benchmarks.bench import Bench, Figures
from benchmarks.options import Options
from benchmarks.place import fresh_place

PAIRS = 3


async def importer(options: Options) -> Figures:
    """The importer beside a bare client that makes the same calls; what counts is the slower of its two ways."""
    from benchmarks.importing import measure_importing  # noqa: PLC0415 - brings a sandbox along

    found = await measure_importing(min(PAIRS, options.runs), options.imports)
    ways = {"by_list": _way(found.by_list), "one_by_one": _way(found.one_by_one)}
    return {
        "imports": options.imports,
        "ratio": max(way["ratio"] for way in ways.values()),
        **ways,
        "ceiling": _ceiling([each.by_list for each in found.ceilings]),
        "ceiling_one_by_one": _ceiling([each.one_by_one for each in found.ceilings]),
    }


def _ceiling(ceilings: Any) -> Figures:
    return {
        part: median(getattr(each, part) for each in ceilings)
        for part in ("reading", "making", "storing", "altogether")
    }


def _way(pairs: Any) -> Figures:
    return {
        "ratio": median(pair.ratio for pair in pairs),
        "calls": pairs[0].calls,
        "items": pairs[0].items,
        "importer_seconds": median(pair.importer.wall for pair in pairs),
        "bare_seconds": median(pair.bare.wall for pair in pairs),
    }


async def lost_database(bench: Bench) -> Figures:
    """What it takes until the topics have brought the tables back, and a replay beside live traffic."""
    options = bench.options
    async with fresh_place(bench.addresses, bench.stack.folder) as place:
        found = await replaying.measure(place, options.lost_records, options.tenants)
    return asdict(found)
