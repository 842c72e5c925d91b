"""`muster topics`: the topics in Kafka against the table of topics."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ops.addresses import plainly, settings_in_reach
from worker import topics
from worker.topics import TopicState


def command(
    create: Annotated[bool, typer.Option("--create", help="Make the topics that are missing.")] = False,
) -> None:
    """Show the topics and how they differ from what they must be; with --create, make the missing ones."""
    with plainly():
        settings = settings_in_reach()
        states = asyncio.run(topics.create(settings) if create else topics.look(settings))
    Console().print(table(states))
    if any(state.faults or not state.exists for state in states):
        raise typer.Exit(1)


def table(states: Sequence[TopicState]) -> Table:
    """The topics for people."""
    shown = Table("topic", "partitions", "kept", "state")
    for state in states:
        shown.add_row(
            state.name,
            str(state.partitions or "-"),
            _kept(state),
            "; ".join([*state.faults, *state.notes]) or ("ok" if state.exists else "missing"),
            style="red" if state.faults or not state.exists else "",
        )
    return shown


def _kept(state: TopicState) -> str:
    if state.retention_ms is None:
        return "-"
    return (
        "for ever"
        if state.retention_ms < 0
        else str(timedelta(milliseconds=state.retention_ms)).removesuffix(", 0:00:00")
    )
