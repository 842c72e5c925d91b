"""`docs/benchmarks.md` from what was measured: a function of the results and nothing else."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.bounds import sentences
from benchmarks.results import Results, best_debezium, figures, middle, over_floor, runs
from benchmarks.spread import spread
from benchmarks.targets import Verdict, judged, memories

HOW, AGAIN = (Path(__file__).with_name(name).read_text(encoding="utf-8") for name in ("how.md", "again.md"))
CONTENDERS = {
    "resolver": "**Muster's resolver**, live, one process",
    "two_resolvers": "**Muster's resolver**, two processes",
    "replay": "**`muster replay`**",
    "debezium": "Debezium JDBC sink, batched upserts",
    "debezium_unnest": "Debezium JDBC sink, its `unnest` option on",
    "faststream_batch": "FastStream, `batch=True`, `list[Model]`, unnest",
    "faststream_tutorial": "FastStream as its tutorial does it",
    "faust": "Faust, without a database",
}
CEILINGS = {
    "getmany": ("aiokafka `getmany` alone", "records"),
    "unnest_items": (
        "asyncpg, the resolver's upsert of items over `unnest` alone, 1,000 to a transaction",
        "rows",
    ),
    "copy_items": ("asyncpg, COPY of items alone, 5,000 to a transaction", "rows"),
    "copy_decisions": (
        "asyncpg, COPY of decisions with their outcomes alone, 5,000 to a transaction",
        "rows",
    ),
    "ready_made": (
        "one process with the resolver's models, statements and outcomes, made before: no rule, no loading",
        "records",
    ),
    "ready_made_replay": (
        "as many processes as `muster replay` has, with its reading, COPY of rows made before, its indexes: no folding",
        "records",
    ),
}
WAITS = {
    "floor": "raw floor: aiokafka, one upsert, one commit",
    "row": "command to committed row",
    "hops_row": "the dashboard's hops, bare: to the first consumer's row",
    "hops": "the same, to the end: two consumers one after the other, three topics, two commits",
    "dashboard": "command to event at a dashboard",
}
TURNS = {
    "floor": "raw floor",
    "hops": "the dashboard's hops, bare",
    "services": "resolver and notifier",
}


CEILING = """\
A ceiling is what the same work came to in this run without what only Muster does, measured as the target is: with rows
and outcomes made before, and what is left of that with the CPU of the rules in it
([below](#what-nobody-can-be-faster-than-here)); of commands, bare consumers that hand them on as a dashboard needs
([below](#a-commands-way)); of the importer, calls, reading, events and storing alone. One in bold misses the target by
itself: it stands in the way."""


def render(results: Results) -> str:
    """The whole page."""
    sections = (
        _head(results),
        _verdicts(judged(results)),
        _section("Who works the same journal off how fast", results, _throughput),
        _section("What nobody can be faster than here", results, _ceilings),
        _section("A command's way", results, _commands),
        _section("Much is there already", results, _growth),
        _section("The importer", results, _importer),
        _section("A lost database, and a replay beside live traffic", results, _lost),
        _section("Doing nothing", results, _idle),
        HOW,
        _section("On what", results, _machine),
        _parts(results),
        AGAIN,
    )
    return "\n\n".join(section.strip() for section in sections) + "\n"


def _head(results: Results) -> str:
    days = sorted({result["began"][:10] for result in results.values()})
    when = f"measured on {' and '.join(days)}" if days else "nothing was measured"
    return (
        "# Benchmarks\n\n"
        f"Written by `make bench`; {when}. Muster beside what one would pick instead, on one machine, one topic and\n"
        "one Postgres, with the same durability. Ratios come first: they travel better than absolute figures, which\n"
        "are beside them. The peers write one row an event. Muster applies every rule of [rules.md](rules.md), with\n"
        "decisions, links and before-images, and publishes what each record came to."
    )


def _verdicts(verdicts: Sequence[Verdict]) -> str:
    rows = [
        (
            each.target.measure,
            f"{each.target.bound} {each.target.limit:g}{_unit(each)}",
            "" if each.value is None else f"{each.value:.2f}{_unit(each)}",
            each.word,
            _ceilings_of(each),
            each.figures,
        )
        for each in verdicts
    ]
    table = _table(("measure", "target", "reached", "verdict", "ceiling", "figures"), rows)
    return table + ("\n\n" + CEILING if any(each.ceilings for each in verdicts) else "")


def _ceilings_of(verdict: Verdict) -> str:
    shown = []
    for ceiling in verdict.ceilings:
        value = f"{ceiling.value:.2f}{_unit(verdict)}"
        shown.append(f"{value if verdict.target.is_met(ceiling.value) else f'**{value}**'} {ceiling.whose}")
    return ", ".join(shown)


def _unit(verdict: Verdict) -> str:
    return {"x": " x", "%": " %", "s": " s"}[verdict.target.unit]


def _section(title: str, results: Results, content: Any) -> str:
    try:
        return f"## {title}\n\n{content(results)}"
    except LookupError as missing:
        return f"## {title}\n\nNot measured: {missing.args[0]}."


def _throughput(results: Results) -> str:
    found = figures(results, "throughput")
    journal = found["journal"]
    rows = []
    for name, shown in CONTENDERS.items():
        if not found["runs"].get(name):
            rows.append((shown, f"left out: {_one_line(found['left_out'].get(name, 'not run'))}", *[""] * 6))
            continue
        rates = sorted(run["records_per_second"] for run in runs(results, name))
        rows.append(
            (
                shown,
                f"{middle(results, name, 'records_per_second'):,.0f}",
                f"{rates[0]:,.0f} to {rates[-1]:,.0f}",
                f"{middle(results, name, 'rows_per_second'):,.0f}",
                *(
                    f"{middle(results, name, cost) * 1e6:.0f}"
                    for cost in ("cpu_per_record", "postgres_per_record", "kafka_per_record")
                ),
                f"{runs(results, name)[0]['records']:,}",
            )
        )
    return (
        f"The journal: {journal['records']:,} records of {journal['mean_bytes']:.0f} bytes on average, of "
        f"{journal['tenants']} tenants on {journal['partitions']} partitions.\nMedians; CPU in microseconds a record, "
        "of the program itself, of Postgres and of Kafka.\n\n"
        + _table(("", "records/s", "from, to", "rows written/s", "CPU", "Postgres", "Kafka", "records"), rows)
        + f"\n\nWhere this page compares with Debezium, it is the faster of its two ways: `{best_debezium(results)}`."
    )


def _ceilings(results: Results) -> str:
    found = figures(results, "ceilings")
    rows = [
        (
            shown,
            f"{found[name]['median']:,.0f} {unit}/s{_rows_too(found[name])}",
            f"{found[name]['least']:,.0f} to {found[name]['most']:,.0f}",
        )
        for name, (shown, unit) in CEILINGS.items()
        if name in found
    ]
    there = found["round_trip_and_commit"]
    rows.append(
        (
            "one record there and back through Kafka, and one commit",
            f"p50 {there['p50']:.1f} ms",
            f"p99 {there['p99']:.1f} ms",
        )
    )
    return "\n\n".join([_table(("", "median", "from, to"), rows), *sentences(results)])


def _rows_too(found: Mapping[str, float]) -> str:
    return f", {found['rows_per_second']:,.0f} rows/s" if "rows_per_second" in found else ""


def _commands(results: Results) -> str:
    found = figures(results, "commands")
    floor = found["floor"]
    rows = [
        (
            shown,
            *(f"{found[name][share]:.1f}" for share in ("p50", "p95", "p99", "most")),
            "{median:.1f}, {least:.1f} to {most:.1f}".format(**spread(found[name]["p99_of_slices"])),
            f"{found[name]['p50'] / floor['p50']:.2f}",
            f"{over_floor(results, name):.2f}",
        )
        for name, shown in WAITS.items()
    ]
    used = [
        (
            shown,
            f"{found['cpu'][name]['busy']:.0%}",
            ", ".join(
                f"{part} {seconds * 1e6:,.0f}"
                for part, seconds in found["cpu"][name].items()
                if part != "busy"
            ),
        )
        for name, shown in TURNS.items()
    ]
    return (
        f"{found['commands_per_second']} commands a second for {found['seconds']:,} s each; milliseconds "
        f"from the moment at which a command was to be sent. The slices, {len(floor['p99_of_slices'])} of each, take "
        "turns; what counts is the median of their p99.\n\n"
        + _table(
            (
                "",
                "p50",
                "p95",
                "p99 of all",
                "longest",
                "p99 of a slice",
                "p50, of the floor's",
                "p99 of a slice, of the floor's",
            ),
            rows,
        )
        + "\n\n"
        + _table(("at work", "the machine was busy", "CPU a command, us"), used)
    )


def _growth(results: Results) -> str:
    found = figures(results, "growth")
    rows = [
        (
            f"{each['items']:,}",
            f"{each['bytes'] / 2**30:.1f} GiB",
            f"{each['cpu_per_record'] * 1e6:.0f}",
            ", ".join(f"{run['records_per_second']:,.0f}" for run in each["runs"]),
        )
        for each in (found["few"], found["many"])
    ]
    memory = [(name, f"{end / 2**20:.0f} MiB", f"{grown:.2f}") for name, end, grown in memories(results)]
    return (
        _table(
            (
                "items there",
                "size of the tables",
                "CPU a record, resolver and Postgres, us",
                "records/s of each run",
            ),
            rows,
        )
        + "\n\n"
        + _table(("memory", "at the end", "of what it was after a quarter"), memory)
    )


def _idle(results: Results) -> str:
    found = figures(results, "idle")
    rows = [
        (name, f"{each['cpu_share']:.2%}", f"{each['rss_bytes'] / 2**20:.0f} MiB")
        for name, each in found.items()
        if isinstance(each, dict)
    ]
    return f"Over {found['seconds']:.0f} s.\n\n" + _table(("service", "of one core", "memory"), rows)


def _importer(results: Results) -> str:
    found = figures(results, "importer")
    rows = [
        (
            shown,
            f"{found[way]['calls']:,}",
            f"{found[way]['items']:,}",
            f"{found[way]['importer_seconds']:.1f}",
            f"{found[way]['bare_seconds']:.1f}",
            f"{found[way]['ratio']:.2f}",
        )
        for way, shown in (
            ("by_list", "read by two lists"),
            ("one_by_one", "again, the mirror warm, one by one"),
        )
    ]
    head = ("way", "calls", "items", "importer, s", "bare client, s", "median ratio")
    page = f"{found['imports']:,} imports asked for at once, in a sandbox without quota.\n\n" + _table(
        head, rows
    )
    ceilings = [
        _importer_ceiling(way, found[name])
        for way, name in (
            ("by list: the same lists", "ceiling"),
            ("one by one: the same calls, four at once,", "ceiling_one_by_one"),
        )
        if name in found
    ]
    return "\n\n".join([page, *ceilings, "The bare client reads nothing."])


def _importer_ceiling(way: str, found: Mapping[str, float]) -> str:
    reading, making, storing, altogether = (
        f"{found[part]:.1f} s" for part in ("reading", "making", "storing", "altogether")
    )
    return (
        f"The ceiling {way} read ({reading}), the same events made ({making}), stored and\n"
        f"published 5,000 at once ({storing}), and nothing else: {altogether}."
    )


def _lost(results: Results) -> str:
    found = figures(results, "lost-database")
    rows = [
        (shown, f"{it['records']:,}", f"{it['seconds']:.1f}", f"{it['records'] / it['phases']['folding']:,.0f}",
         f"{it['rows'] / it['phases']['folding']:,.0f}", f"{it['resolver_waited'] * 1000:,.0f}",
         f"{it['readers_waited'] * 1000:,.0f}")
        for shown, it in (("lost database", found["lost_database"]), ("beside live traffic", found["beside_traffic"]))
    ]  # fmt: skip
    head = (
        "",
        "records",
        "whole command, s",
        "records/s folded",
        "rows/s",
        "resolver waited, ms",
        "readers waited, ms",
    )
    same = "the same checksums as before" if found["checksums_equal"] else "**other checksums than before**"
    return (
        f"The tables that came back have {same}. Beside the replay the longest wait of a reader was "
        f"{found['longest_read'] * 1000:,.0f} ms, and of a command for its row {found['longest_command']:.2f} s.\n\n"
        + _table(head, rows)
    )


def _machine(results: Results) -> str:
    newest = max(results.values(), key=lambda result: result["began"], default=None)
    if newest is None:
        raise LookupError("no part was run")
    it = newest["machine"]
    lines = [
        f"- {it['cpus']} cores ({it['processor']}), {it['memory_gib']} GiB of memory",
        f"- {it['system']}, Linux {it['kernel']}",
        f"- Python {it['python']}; "
        + ", ".join(f"{name} {number}" for name, number in it["packages"].items()),
        *(f"- {name} {number}" for name, number in it.get("programs", {}).items()),
    ]
    kept = results.get("throughput", {}).get("figures", {}).get("durability")
    if kept:
        lines.append(
            "- as the servers show it: " + ", ".join(f"`{name}` {value}" for name, value in kept.items())
        )
    return "\n".join(lines)


def _parts(results: Results) -> str:
    rows = [
        (name, each["began"].replace("T", " "), f"{each['seconds']:,.0f} s", f"{each['load_before']:g}",
         f"{each.get('pace_ms', '?')} ms")
        for name, each in results.items()
    ]  # fmt: skip
    head = ("part", "began", "took", "load before it", "3,000,000 turns of a Python loop")
    return (
        "## When\n\n" + _table(head, rows) + "\n\nThe last column tells machines apart, and moments of one."
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_one_line(cell) for cell in line)} |" for line in lines)


def _one_line(text: str) -> str:
    return " ".join(text.replace("|", "/").split())[:300]
