"""`muster audit`: what operators did, and when."""

import asyncio
from typing import Annotated

import typer
from rich.table import Table

from ops import audit
from ops.addresses import settings_in_reach
from ops.audit import Line
from ops.times import shown_time
from ops.voice import AsJson, as_text, speaking

COLOURS = {"failed": "red", "interrupted": "yellow"}


def command(
    *,
    verb: Annotated[str | None, typer.Option(help="Only of this verb, such as `rewind`.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The last so many lines.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show what operators changed: a line before each change and one after it, newest first.

    A line `begun` without another one of the same run belongs to a command that was killed, or is still at work.

    For example:

        muster audit
        muster audit --verb rewind --limit 100
    """
    with speaking(as_json=as_json) as voice:
        lines = asyncio.run(audit.lines(settings_in_reach(), verb, limit))
        voice.answer({"lines": lines}, _table(lines) if lines else "Nothing was changed by any operator yet.")


def _table(lines: list[Line]) -> Table:
    shown = Table(box=None, pad_edge=False)
    for name in ("when", "run", "who", "verb", "what", "with"):
        shown.add_column(name, no_wrap=name in {"when", "run", "what"}, overflow="fold")
    for line in lines:
        told = {**line.arguments, **(line.result or {})}
        details = " ".join(f"{name}={_short(value)}" for name, value in told.items() if value is not None)
        shown.add_row(
            shown_time(line.at), str(line.run)[:8], line.who, line.verb, line.what, details,
            style=COLOURS.get(line.what, ""),
        )  # fmt: skip
    return shown


def _short(value: object) -> str:
    return value if isinstance(value, str) else as_text(value)
