"""`muster topics`: the topics in Kafka against the table of topics."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from ops.addresses import settings_in_reach
from ops.audit import audited, end_killed
from ops.ending import Exit
from ops.voice import AsJson, Voice, speaking
from worker import topics
from worker.settings import Settings
from worker.topics import TopicState

VERB = "topics"
WHY_LEFT = (
    "What is wrong could lose or misplace records, and is never altered here: mend it with Kafka's own tools, or "
    "say with MUSTER_JOURNAL_PARTITIONS or MUSTER_REPLICATION_FACTOR that it is meant so."
)


def command(
    create: Annotated[
        bool,
        typer.Option(
            "--apply", "--create", help="Make the topics that are missing. Alters none that is there."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show every topic in Kafka against the table of topics; with --apply, make those that are missing.

    A topic that is there and not as it must be is named, with what is wrong, and left alone: what could lose or
    misplace records is for a person to mend. The exit code is 1 as long as anything is missing or wrong.

    For example:

        muster topics
        muster topics --apply
        muster topics --json | jq '.topics[] | select(.faults != [])'
    """
    with speaking(as_json=as_json) as voice:
        settings = settings_in_reach()
        states = asyncio.run(_create(settings) if create else topics.look(settings))
        _tell(voice, states)
        if any(state.faults or not state.exists for state in states):
            raise typer.Exit(Exit.ATTENTION)


async def _create(settings: Settings) -> list[TopicState]:
    await end_killed(settings, VERB, required=False)
    missing = [state.name for state in await topics.look(settings) if not state.exists]
    if not missing:
        return await topics.look(settings)
    async with audited(settings, VERB, {"make": missing}, required=False):
        return await topics.create_missing(settings)


def _tell(voice: Voice, states: Sequence[TopicState]) -> None:
    missing = sum(not state.exists for state in states)
    advice = [f"\n{missing} missing: `muster topics --apply` makes them."] if missing else []
    if any(state.faults for state in states):
        advice.append(f"\n{WHY_LEFT}")
    voice.answer({"topics": [_document(state) for state in states]}, table(states), *advice)


def table(states: Sequence[TopicState]) -> Table:
    """The topics for people."""
    shown = Table("topic", "partitions", "copies", "kept", "state", box=None, pad_edge=False)
    for state in states:
        shown.add_row(
            state.name,
            str(state.partitions or "-"),
            str(state.copies or "-"),
            _kept(state),
            "; ".join([*state.faults, *state.notes]) or ("ok" if state.exists else "missing"),
            style="red" if state.faults or not state.exists else "",
        )
    return shown


def _document(state: TopicState) -> dict[str, Any]:
    return {
        "topic": state.name,
        "exists": state.exists,
        "partitions": state.partitions,
        "copies": state.copies,
        "retention_ms": state.retention_ms,
        "faults": list(state.faults),
        "notes": list(state.notes),
    }


def _kept(state: TopicState) -> str:
    if state.retention_ms is None:
        return "-"
    return (
        "for ever"
        if state.retention_ms < 0
        else str(timedelta(milliseconds=state.retention_ms)).removesuffix(", 0:00:00")
    )
