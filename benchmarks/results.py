"""How the results of a run are read: what a part found, and medians of those who worked the journal off."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from statistics import median
from typing import Any

Results = Mapping[str, Any]
"""Each part's result by its name, as `benchmarks.bench.kept` reads them."""
DEBEZIUM = ("debezium", "debezium_unnest")
RECORDS, ROWS = "records_per_second", "rows_per_second"
APART_SECONDS = 3_600
"""Of two parts that began further apart than this, one says nothing about the other."""


def figures(results: Results, part: str) -> Any:
    """What a part found. Raises `LookupError` when it is missing or failed."""
    if part not in results:
        raise LookupError(f"the part `{part}` was not run")
    found = results[part]["figures"]
    if "failed" in found:
        raise LookupError(f"the part `{part}` failed: {found['failed'][:200]}")
    return found


def runs(results: Results, contender: str) -> Sequence[Mapping[str, Any]]:
    """The runs of a contender. Raises `LookupError` when there are none."""
    found = figures(results, "throughput")
    if not found["runs"].get(contender):
        raise LookupError(
            f"{contender} was left out: {found['left_out'].get(contender, 'it was not run')[:200]}"
        )
    measured: Sequence[Mapping[str, Any]] = found["runs"][contender]
    return measured


def middle(results: Results, contender: str, name: str) -> float:
    """The median of one figure over a contender's runs."""
    return median(float(run[name]) for run in runs(results, contender))


def p99(results: Results, name: str) -> float:
    """The median of the p99 of each slice, in milliseconds, of one of those who take turns at commands."""
    return median(map(float, figures(results, "commands")[name]["p99_of_slices"]))


def over_floor(results: Results, name: str) -> float:
    """How many times the floor's p99."""
    return p99(results, name) / p99(results, "floor")


def best_debezium(results: Results) -> str:
    """Which of Debezium's two ways of writing is the faster one here."""
    there = [name for name in DEBEZIUM if figures(results, "throughput")["runs"].get(name)]
    if not there:
        runs(results, DEBEZIUM[0])
    return max(there, key=lambda name: middle(results, name, "records_per_second"))


def against_debezium(contender: str, name: str) -> Callable[[Results], float]:
    """How many times Debezium's rate."""
    return lambda results: middle(results, contender, name) / middle(results, best_debezium(results), name)


def check_same_run(results: Results, one: str, other: str) -> None:
    """Raises `LookupError` when the two parts were not measured on one machine, one soon after the other."""
    figures(results, one), figures(results, other)
    first, second = (results[part] for part in (one, other))
    began, then = (datetime.fromisoformat(each["began"]) for each in (first, second))
    if abs((then - began).total_seconds()) > APART_SECONDS or first["machine"] != second["machine"]:
        raise LookupError(f"the parts `{one}` and `{other}` were not measured in one run")
