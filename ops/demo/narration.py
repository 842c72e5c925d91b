"""The story as a person sees it on a terminal."""

from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from schemas.outcomes import OutcomeRecorded, Replaced
from schemas.progress import IntegrationProgressed

ABSENT = "[dim]-[/]"


class TerminalNarrator:
    """Prints each step as it happens."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def chapter(self, title: str) -> None:
        self._console.print(f"\n[bold]{escape(title)}[/]")

    def step(self, text: str) -> None:
        self._console.print(f"  {escape(text)}")

    def answer(self, outcome: OutcomeRecorded) -> None:
        if outcome.result == "applied":
            self._console.print(f"    [green]applied[/]{self._what_followed(outcome)}")
        else:
            self._console.print(
                f"    [yellow]{outcome.result}: {outcome.reason}[/] {escape(outcome.message or '')}"
            )
        for replaced in outcome.personal.replaced if outcome.personal else []:
            self._console.print(f"      [dim]{escape(_replacement(replaced))}[/]")

    def items(self, items: Sequence[dict[str, Any]]) -> None:
        table = Table(
            "To review", "relationship", "e-mail", "", title_justify="left", box=None, padding=(0, 2)
        )
        for item in items:
            flags = [name for name in ("archived", "stub") if item[name]]
            table.add_row(
                escape(item["personal"]["name"]),
                escape(item["relationship"]["type"]),
                escape(item["personal"].get("email", "")) or ABSENT,
                " ".join(flags),
            )
        self._console.print(table)

    def progress(self, row: IntegrationProgressed) -> None:
        counts = row.counts
        shown = {
            "to review": counts.pending,
            "imported": counts.imported,
            "linked": counts.linked,
            "ignored": counts.ignored,
            "attached": counts.attached,
            "left out": counts.left_out,
        }
        numbers = "".join(f", {number} {name}" for name, number in shown.items() if number)
        action = row.kind.replace("_", " ")
        self._console.print(f"    [cyan]progress: {action} {row.status.replace('_', ' ')}{numbers}[/]")

    def members(self, members: Sequence[dict[str, Any]]) -> None:
        table = Table(
            "Name", "Relationships", "E-mail", "Phone", "Co-owner", "XPM has", box=SIMPLE, padding=0
        )
        table.columns[2].overflow = "fold"
        for member in members:
            details = member["details"]
            table.add_row(
                escape(details["name"]),
                escape(", ".join(member["relationships"]) or details.get("relationship", "")),
                escape(details.get("email", "")) or ABSENT,
                escape(details.get("phone", "")) or ABSENT,
                "yes" if member["co_owner"] else "",
                escape("; ".join(_kept(member))),
            )
        self._console.print("\n[bold]The people of the client[/]")
        self._console.print(table)

    def _what_followed(self, outcome: OutcomeRecorded) -> str:
        states = [item.state for item in outcome.items]
        said = [f"{states.count(state)} {state}" for state in dict.fromkeys(states)]
        said += [f"import {run.status.replace('_', ' ')}" for run in outcome.imports]
        return f" [dim]{', '.join(said)}[/]" if said else ""


def _replacement(replaced: Replaced) -> str:
    return f"{replaced.field.replace('_', ' ')}: {replaced.before} -> {replaced.after}"


def _kept(member: dict[str, Any]) -> list[str]:
    return [
        f"{field}: {origin['xpm']}"
        for field, origin in member["provenance"].items()
        if origin["by"] == "staff" and origin.get("xpm") not in {None, member["details"].get(field)}
    ]
