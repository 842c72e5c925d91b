"""What stands between a figure and its target: ceilings of the same run. Nothing but functions of results."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from benchmarks.results import RECORDS, Results, best_debezium, check_same_run, figures, middle, over_floor


class Ceiling(NamedTuple):
    """What a target's figure can come to at most, or at least, and for whom."""

    value: float
    whose: str


@dataclass(frozen=True, slots=True)
class Bound:
    """Who wrote ready-made rows in a contender's place, and what is left of that with the rules' CPU in it."""

    contender: str
    measured: Mapping[str, float]
    cores: int | None
    """None for one process of Python: what Postgres and Kafka take comes from other cores."""

    @property
    def alone(self) -> float:
        """CPU seconds a record of reading, rules and rows in memory."""
        return self.measured["reading_per_record"] + self.measured["rules_per_record"]

    @property
    def least(self) -> float:
        """CPU seconds a record of whoever does both, as the reading need not be done twice."""
        return self.measured["cpu_per_record"] + self.measured["rules_per_record"]

    @property
    def records_with_rules(self) -> float:
        """Records a second if nobody waited longer for it than without a rule."""
        if self.cores is None:
            busy = self.least
        else:
            servers = self.measured["postgres_per_record"] + self.measured["kafka_per_record"]
            busy = (self.least + servers) / self.cores
        return min(1 / busy, self.measured["median"])

    def ceilings(self, results: Results, rate: str) -> list[Ceiling]:
        """How many times Debezium's rate. Raises `LookupError` when the two weren't measured in one run."""
        check_same_run(results, "ceilings", "throughput")
        theirs = middle(results, best_debezium(results), rate)
        without = self.measured["median" if rate == RECORDS else rate]
        with_rules = without * self.records_with_rules / self.measured["median"]
        return [
            Ceiling(without / theirs, "without a rule"),
            Ceiling(with_rules / theirs, "with the rules' CPU"),
        ]


def live(results: Results) -> Bound:
    """The resolver's. Raises `LookupError` when it wasn't measured."""
    return Bound("resolver", _ready_made(results, "ready_made"), None)


def replay(results: Results) -> Bound:
    """That of `muster replay`. Raises `LookupError` when it wasn't measured."""
    cores = int(results["ceilings"]["machine"]["cpus"])
    return Bound("replay", _ready_made(results, "ready_made_replay"), cores)


def _ready_made(results: Results, name: str) -> Mapping[str, float]:
    found: Mapping[str, float] = figures(results, "ceilings")[name]
    return found


def against_debezium(bound: Callable[[Results], Bound], rate: str) -> Callable[[Results], list[Ceiling]]:
    """The ceilings of a target that names one of Debezium's rates."""
    return lambda results: bound(results).ceilings(results, rate)


def importer(results: Results) -> list[Ceiling]:
    """Calls, reading, events and storing without an import of its own, in times of the bare client's time."""
    found = figures(results, "importer")
    return [
        Ceiling(found[name]["altogether"] / found[way]["bare_seconds"], whose)
        for way, name, whose in (
            ("by_list", "ceiling", "by list"),
            ("one_by_one", "ceiling_one_by_one", "one by one"),
        )
    ]


def hops(name: str) -> Callable[[Results], list[Ceiling]]:
    """The p99 of the bare hops, at the first one's row or at the end, in times of the floor's."""

    def found(results: Results) -> list[Ceiling]:
        return [Ceiling(over_floor(results, name), "of the bare hops")]

    return found


def sentences(results: Results) -> list[str]:
    """What takes which CPU at least, and what the contender took: of each bound that was measured."""
    said = []
    for bound, words in (
        (live, ("Live", "rows and outcomes made before, without a rule", "rules", "the resolver")),
        (
            replay,
            (
                "Replay",
                "rows made before, without folding",
                "folding",
                "the whole of `muster replay` (see How)",
            ),
        ),
    ):
        try:
            said.append(_sentences(results, bound(results), *words))
        except LookupError:
            continue
    return said


def _sentences(results: Results, it: Bound, title: str, without: str, rules: str, shown: str) -> str:
    ready = _us(it.measured["cpu_per_record"])
    return (
        f"**{title}**, CPU of Python in us a record: {without}, {ready}; reading, {rules} and rows in memory alone, "
        f"{_us(it.alone)}.\nBoth, with the reading counted once, are at least **{_us(it.least)}**"
        f"{_taken(results, it, shown)}.\n{_at_most(it)}"
    )


def _taken(results: Results, bound: Bound, shown: str) -> str:
    try:
        check_same_run(results, "ceilings", "throughput")
        taken = middle(results, bound.contender, "cpu_per_record")
    except LookupError:
        return ""
    return f"; {shown} takes **{_us(taken)}**"


def _at_most(bound: Bound) -> str:
    most = f"{bound.records_with_rules:,.0f} records/s"
    if bound.cores is None:
        return f"So one process of Python that does it all can't come to more than {most} here."
    postgres, kafka = (_us(bound.measured[f"{server}_per_record"]) for server in ("postgres", "kafka"))
    return (
        f"With the {postgres} of Postgres and the {kafka} of Kafka, {bound.cores} cores can't come to more than "
        f"{most}."
    )


def _us(seconds: float) -> str:
    return f"{seconds * 1e6:.0f}"
