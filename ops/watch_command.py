"""`muster watch`: what goes over the topics, as it goes."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer
from rich.text import Text

from ops.addresses import settings_in_reach
from ops.voice import AsJson, Voice, as_text, speaking
from schemas.codec import Event, Unreadable, decode
from schemas.outcomes import OutcomeRecorded
from schemas.progress import IntegrationProgressed
from schemas.topics import JOURNAL, OUTCOMES, PROGRESS, REQUESTS, Topic
from worker.progress import Progress
from worker.settings import Settings
from worker.tail import Raw, Tail

WATCHED = (REQUESTS, JOURNAL, OUTCOMES, PROGRESS)
COLOURS = {REQUESTS: "cyan", JOURNAL: "yellow", OUTCOMES: "green", PROGRESS: "magenta"}


@dataclass(frozen=True, slots=True)
class Seen:
    """A record as it is told: where it is, and what it says, without anything that a person typed."""

    topic: str
    partition: int
    offset: int
    tenant_id: str
    type: str
    subject: str
    says: str


def command(
    tenant: Annotated[
        str | None, typer.Argument(help="Only what is this practice's; else everything.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show what goes over the topics from now on, a line for each record, until Ctrl-C.

    Personal data stays where it is: a line holds ids, types and states. With --json each line is a document.

    For example:

        muster watch
        muster watch harbour-and-hill
    """
    with speaking(as_json=as_json) as voice:
        asyncio.run(watch(settings_in_reach(), tenant, voice))


async def watch(settings: Settings, tenant_id: str | None, voice: Voice) -> None:
    """Tell each record; runs until it is cancelled."""

    def take(topic: Topic, record: Raw) -> None:
        seen = _seen(topic, record)
        if tenant_id is None or seen.tenant_id == tenant_id:
            voice.answer(seen, _line(topic, seen))

    def begun() -> None:
        voice.remark(
            "Watching muster.requests, muster.journal, muster.outcomes and muster.progress; Ctrl-C ends it."
        )

    await Tail(settings, "watch", WATCHED, take, begun, Progress()).run()


def _seen(topic: Topic, record: Raw) -> Seen:
    place = topic.name, record.partition, record.offset
    try:
        event = decode(record.value, topic)
    except Unreadable as unreadable:
        return Seen(*place, "", unreadable.why, "", unreadable.detail)
    return Seen(*place, event.tenant_id, event.type, event.subject, _says(event))


def _says(event: Event) -> str:
    match event.data:
        case OutcomeRecorded() as outcome:
            answered = outcome.record.type if outcome.record else "swap"
            states = [f"{each.item_id[:8]} {each.state}" for each in outcome.items[:3]]
            return " ".join([answered, outcome.result, outcome.reason or "", *states]).strip()
        case IntegrationProgressed() as row:
            counts = {name: number for name, number in row.counts.model_dump().items() if number}
            return f"{row.kind} {row.status} {as_text(counts) if counts else ''}".strip()
        case _:
            return ""


def _line(topic: Topic, seen: Seen) -> Text:
    line = Text(f"{datetime.now().astimezone():%H:%M:%S} ", style="dim", no_wrap=True, overflow="ellipsis")
    line.append(f"{seen.topic:15} ", style=COLOURS[topic])
    line.append(f"{seen.partition}/{seen.offset} ", style="dim")
    line.append(f"{seen.type.removeprefix('muster.')} ", style="not dim bold")
    return line.append(f"{seen.subject} {seen.says}", style="not dim")
