"""What a replay or a verification has found, for people and for programs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ops.times import shown_time
from services.resolver.domain.version import RULES_VERSION
from services.resolver.replaying.report import Report
from services.resolver.replaying.standing import Stand, Standing
from worker.differences import Count, Example

TENANTS_SHOWN = 10
KINDS = {"only_here": "only live", "only_there": "only replayed", "different": "different"}
PURPOSES = {
    "replay": "folded by a replay, never swapped in",
    "verify": "begun by a verification",
    "look": "made to look at",
    "snapshot": "snapshot of the last verification",
}


def document(report: Report, examples: Sequence[Example]) -> dict[str, Any]:
    """For programs."""
    return {
        "identical": report.identical,
        "live": asdict(report.here),
        "replayed": asdict(report.there),
        "resumed": report.resumed,
        "restored": report.restored,
        "folded": {"records": report.folded.records, "seconds": round(report.folded.seconds, 3)},
        "tables": [
            {"table": table, "rows": rows, **_totals(report.counts, table)}
            for table, rows in report.compared.items()
        ],
        "differences": [
            {
                "table": each.table,
                "tenant": each.tenant_id,
                "only_live": each.only_here,
                "only_replayed": each.only_there,
                "different": each.different,
            }
            for each in report.counts
        ],
        "examples": [_example(each) for each in examples],
        "to_publish": {"answers": report.answers, "states": report.states},
        "swap": asdict(report.swapped) if report.swapped else None,
        "published": report.published,
    }


def shown(report: Report, examples: Sequence[Example]) -> list[RenderableType]:
    """For people: the tables, then whose rows differ, then some of them column by column."""
    parts: list[RenderableType] = [_folded(report), "", _tables(report)]
    if report.counts:
        parts += ["", _tenants(report.counts)]
    if examples:
        parts += ["", Group(*(_example_shown(each) for each in examples))]
    return parts


def standing_document(found: Standing) -> dict[str, Any]:
    """Where things stand, for programs."""
    return {
        "rules": RULES_VERSION,
        "live": _stand(found.live),
        "others": [_stand(each) for each in found.others],
        "last_swap": asdict(found.last_swap) if found.last_swap else None,
        "to_publish": found.to_publish,
    }


def standing_shown(found: Standing) -> list[RenderableType]:
    """Where things stand, for people."""
    table = Table("generation", "rules", "records", "made", "what it is", box=None, pad_edge=False)
    for each in (found.live, *found.others):
        generation = each.generation
        table.add_row(
            str(generation.number),
            str(generation.rules),
            f"{each.records:,}",
            shown_time(each.made_at),
            what_it_is(found, each),
            style="bold" if each is found.live else "",
        )
    said: list[RenderableType] = [table, f"\nThis release has rules {RULES_VERSION}."]
    if found.live.generation.rules != RULES_VERSION:
        said.append(
            "Its resolver stands by until `muster replay --swap`, or a `muster verify --take-over` that finds nothing "
            "different."
        )
    if found.to_publish:
        said.append(
            f"{found.to_publish:,} outcomes of swap {found.live.generation.swap} are not out yet: a resolver publishes "
            "them by itself, and so does the next `muster replay`."
        )
    return said


def what_it_is(found: Standing, each: Stand) -> str:
    """A generation's part, in a few words."""
    if each is found.live:
        swap = each.generation.swap
        return f"live since swap {swap}" if swap else "live since the beginning"
    if found.before is not None and each.generation == found.before.generation:
        return "live before: `muster replay --back` returns to it"
    return PURPOSES[each.purpose]


def _stand(each: Stand) -> dict[str, Any]:
    return {
        "generation": each.generation.number,
        "rules": each.generation.rules,
        "swap": each.generation.swap,
        "purpose": each.purpose,
        "made_at": each.made_at,
        "replaced_by": each.replaced_by,
        "records": each.records,
        "applied_to": each.applied_to,
    }


def _folded(report: Report) -> str:
    here, there, folded = report.here, report.there, report.folded
    rate = f" ({folded.records / folded.seconds:,.0f}/s)" if folded.seconds > 1 else ""
    gone_on = ", going on with what was folded before" if report.resumed else ""
    live = "is live and empty" if report.restored else f"is live, folded by rules {here.rules}"
    return (
        f"Generation {here.number} {live}. Generation {there.number} was folded by rules {there.rules}: "
        f"{folded.records:,} records in {folded.seconds:.1f} s{rate}{gone_on}."
    )


def _tables(report: Report) -> Table:
    table = Table("table", box=None, pad_edge=False)
    for name in ("rows replayed", *KINDS.values(), "tenants"):
        table.add_column(name, justify="right")
    for name, rows in report.compared.items():
        totals = _totals(report.counts, name)
        tenants = len({each.tenant_id for each in report.counts if each.table == name})
        numbers = [rows, *totals.values(), tenants]
        table.add_row(
            name, *(f"{each:,}" if each else "-" for each in numbers), style="yellow" if tenants else ""
        )
    return table


def _tenants(counts: Sequence[Count]) -> Table:
    """Those with the most differences first."""
    totals: dict[str, int] = {}
    for each in counts:
        totals[each.tenant_id] = totals.get(each.tenant_id, 0) + each.total
    ordered = sorted(totals, key=lambda tenant: (-totals[tenant], tenant))
    table = Table(box=None, pad_edge=False, caption_justify="left")
    table.add_column("tenant", overflow="fold")  # whole, also where there is little room
    table.add_column("table", no_wrap=True)
    for name in KINDS.values():
        table.add_column(name, justify="right")
    for tenant in ordered[:TENANTS_SHOWN]:
        for each in (count for count in counts if count.tenant_id == tenant):
            numbers = (each.only_here, each.only_there, each.different)
            table.add_row(
                tenant or "(unreadable)", each.table, *(f"{one:,}" if one else "-" for one in numbers)
            )
    if len(ordered) > TENANTS_SHOWN:
        table.caption = f"and {len(ordered) - TENANTS_SHOWN:,} more tenants: --json names them all"
    return table


def _totals(counts: Sequence[Count], table: str) -> Mapping[str, int]:
    some = [each for each in counts if each.table == table]
    return {
        "only_live": sum(each.only_here for each in some),
        "only_replayed": sum(each.only_there for each in some),
        "different": sum(each.different for each in some),
    }


def _example(each: Example) -> dict[str, Any]:
    return {
        "table": each.table,
        "tenant": each.tenant_id,
        "key": list(each.key),
        "kind": KINDS[each.kind].replace(" ", "_"),
        "columns": {one.name: {"live": one.here, "replayed": one.there} for one in each.columns},
    }


def _example_shown(each: Example) -> RenderableType:
    title = Text.assemble(
        (f"{each.table} ", "bold"),
        f"{'/'.join(each.key)} of {each.tenant_id or '(unreadable)'}: {KINDS[each.kind]}",
    )
    columns = Table("", "column", "live", "replayed", box=None, pad_edge=False, header_style="dim")
    for name, here, there in each.columns:
        columns.add_row("  ", name, Text(here or "-"), Text(there or "-"))
    return Group(title, columns, "")
