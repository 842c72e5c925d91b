"""What has to come out, and what came out: a ratio or a figure for each target. Nothing but functions of results."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks import bounds
from benchmarks.bounds import Ceiling
from benchmarks.results import (
    RECORDS,
    ROWS,
    Results,
    against_debezium,
    best_debezium,
    figures,
    middle,
    over_floor,
    p99,
    runs,
)

SERVICES = ("importer", "resolver", "notifier")
FLAT = 1.1
"""Memory is flat when there is at most so many times as much at the end as after the first quarter."""


@dataclass(frozen=True, slots=True)
class Target:
    """A measure, its limit, and how it and what stands in its way are read from the results."""

    measure: str
    limit: float
    bound: Literal["at least", "at most", "under"]
    unit: Literal["x", "%", "s"]
    reached: Callable[[Results], float]
    figures: Callable[[Results], str]
    ceilings: Callable[[Results], Sequence[Ceiling]] = lambda _: ()

    def is_met(self, value: float) -> bool:
        """Whether the value is within the limit."""
        match self.bound:
            case "at least":
                return value >= self.limit
            case "at most":
                return value <= self.limit
            case "under":
                return value < self.limit


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one target came to; without a value, `why` says why there is none."""

    target: Target
    value: float | None
    figures: str
    ceilings: Sequence[Ceiling] = ()
    why: str = ""

    @property
    def word(self) -> str:
        """Met, missed, or not measured."""
        if self.value is None:
            return f"not measured: {self.why}"
        return "met" if self.target.is_met(self.value) else "**missed**"


def judged(results: Results) -> list[Verdict]:
    """Every target's verdict; one whose part is missing or failed has no value, and says so."""
    return [_judge(target, results) for target in TARGETS]


def _judge(target: Target, results: Results) -> Verdict:
    try:
        return Verdict(target, target.reached(results), target.figures(results), _ceilings(target, results))
    except (LookupError, ZeroDivisionError) as missing:
        return Verdict(target, None, "", why=f"{missing.args[0]}" if missing.args else "nothing came out")


def _ceilings(target: Target, results: Results) -> Sequence[Ceiling]:
    try:
        return target.ceilings(results)
    except LookupError:
        return ()


def _rates(contender: str, name: str, unit: str) -> Callable[[Results], str]:
    def shown(results: Results) -> str:
        ours, theirs = middle(results, contender, name), middle(results, best_debezium(results), name)
        return f"{ours:,.0f} {unit}/s; Debezium {theirs:,.0f}"

    return shown


def _two_processes(results: Results) -> float:
    return middle(results, "two_resolvers", "cpu_per_record") / middle(results, "resolver", "cpu_per_record")


def _two_shown(results: Results) -> str:
    two, one = (middle(results, name, "cpu_per_record") * 1e6 for name in ("two_resolvers", "resolver"))
    return f"{two:.0f} us; one process {one:.0f} us"


def _over_floor(name: str) -> Callable[[Results], float]:
    return lambda results: over_floor(results, name)


def _waits(name: str) -> Callable[[Results], str]:
    def shown(results: Results) -> str:
        found = figures(results, "commands")
        return (
            f"p99 of a slice {p99(results, name):.1f} ms; floor {p99(results, 'floor'):.1f} ms "
            f"(of all {found[name]['p99']:.1f} ms; floor {found['floor']['p99']:.1f} ms)"
        )

    return shown


def _growth(results: Results) -> float:
    found = figures(results, "growth")
    return float(found["many"]["cpu_per_record"] / found["few"]["cpu_per_record"])


def _growth_shown(results: Results) -> str:
    found = figures(results, "growth")
    return ", ".join(
        f"{each['cpu_per_record'] * 1e6:.0f} us at {each['items']:,} items"
        for each in (found["many"], found["few"])
    )


def _memory(results: Results) -> float:
    return max(grown for _, _, grown in memories(results))


def memories(results: Results) -> list[tuple[str, int, float]]:
    """Of each service that was watched: its memory at the end in bytes, and how many times that of the beginning."""
    found = []
    for name, seen in {
        "resolver, working off a journal": runs(results, "resolver")[-1]["rss_bytes"],
        **{f"{name}, at commands": seen for name, seen in figures(results, "commands")["memory"].items()},
    }.items():
        early = seen[len(seen) // 4]
        found.append((name, seen[-1], seen[-1] / early))
    return found


def _memory_shown(results: Results) -> str:
    return "; ".join(f"{name} {end / 2**20:.0f} MiB" for name, end, _ in memories(results))


def _idle(results: Results) -> float:
    found = figures(results, "idle")
    return float(max(found[name]["cpu_share"] for name in SERVICES) * 100)


def _idle_shown(results: Results) -> str:
    found = figures(results, "idle")
    return "; ".join(
        f"{name} {found[name]['cpu_share']:.2%}, {found[name]['rss_bytes'] / 2**20:.0f} MiB"
        for name in SERVICES
    )


def _importer(results: Results) -> float:
    return float(figures(results, "importer")["ratio"])


def _importer_shown(results: Results) -> str:
    found = figures(results, "importer")
    return "; ".join(
        f"{shown} {found[way]['importer_seconds']:.1f} s, bare {found[way]['bare_seconds']:.1f} s"
        for way, shown in (("by_list", "by list"), ("one_by_one", "one by one"))
    )


def _warm_shown(results: Results) -> str:
    found = figures(results, "warm")
    return f"{found['warm']['least']:.1f} to {found['warm']['most']:.1f} s; {found['without_data']:.1f} s without data"


TARGETS = (
    Target("resolver, live, one process: rows written/s, against Debezium's", 2, "at least", "x",
           against_debezium("resolver", ROWS), _rates("resolver", ROWS, "rows"),
           bounds.against_debezium(bounds.live, ROWS)),
    Target("the same: records/s, against Debezium's", 1, "at least", "x",
           against_debezium("resolver", RECORDS), _rates("resolver", RECORDS, "records"),
           bounds.against_debezium(bounds.live, RECORDS)),
    Target("`muster replay`, the same journal: rows written/s, against Debezium's", 3, "at least", "x",
           against_debezium("replay", ROWS), _rates("replay", ROWS, "rows"),
           bounds.against_debezium(bounds.replay, ROWS)),
    Target("the same: records/s, against Debezium's", 2, "at least", "x",
           against_debezium("replay", RECORDS), _rates("replay", RECORDS, "records"),
           bounds.against_debezium(bounds.replay, RECORDS)),
    Target("two resolver processes: CPU a record, against one's", 1.2, "at most", "x", _two_processes, _two_shown),
    Target("command published to row committed: p99, against the raw floor's", 2, "at most", "x",
           _over_floor("row"), _waits("row"), bounds.hops("hops_row")),
    Target("command published to event at a dashboard: p99, against the raw floor's", 4, "at most", "x",
           _over_floor("dashboard"), _waits("dashboard"), bounds.hops("hops")),
    Target("importer: time for its imports, against a bare httpx replay of the same calls", 1.2, "at most", "x",
           _importer, _importer_shown, bounds.importer),
    Target("CPU a record with many items there, against few", 1.3, "at most", "x", _growth, _growth_shown),
    Target("memory of a service at the end, against its beginning", FLAT, "at most", "x", _memory, _memory_shown),
    Target("idle: CPU of the busiest of the three services, of one core", 1, "under", "%", _idle, _idle_shown),
    Target("`make run`, warm: to the first event", 10, "under", "s",
           lambda results: float(figures(results, "warm")["warm"]["median"]), _warm_shown),
)  # fmt: skip
