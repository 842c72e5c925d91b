"""One dead letter as a person reads it, and as a program does."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ops.deadletters import letter as letters
from ops.deadletters.choice import State
from ops.deadletters.facts import QUERIES
from ops.deadletters.judging import Decided, Facts, Judgement, Verdict
from ops.deadletters.letter import DeadLetter
from ops.deadletters.masking import masked
from ops.deadletters.standing import Attempt
from ops.times import instant, shown_time
from ops.words import some
from schemas.codec import Event, Unreadable
from schemas.topics import JOURNAL
from worker.database import Database

BYTES_SHOWN = 2048
BYTES_A_LINE = 16
BECOMES: Mapping[Verdict, str] = {
    "stale": "It is stale",
    "again": "It would fail again",
    "settled": "It is settled",
    "hopeless": "It can't be redriven",
}
HINT = "Personal values and bytes are hidden: --personal shows them."


@dataclass(frozen=True, slots=True)
class Story:
    """All that is known. `copies` tells what each copy on the journal came to, by partition and offset."""

    letter: DeadLetter
    state: State
    event: Event | Unreadable
    facts: Facts
    judgement: Judgement
    attempts: Sequence[Attempt]
    copies: Mapping[tuple[int, int], str]


async def copies_came_to(database: Database, attempts: Sequence[Attempt]) -> dict[tuple[int, int], str]:
    """What the copies on the journal came to, as far as the resolver has come."""
    places = [
        (each.partition, each.offset)
        for each in attempts
        if each.topic == JOURNAL.name and each.partition is not None and each.offset is not None
    ]
    rows = await database.fetch(
        QUERIES.at_places, [partition for partition, _ in places], [offset for _, offset in places]
    )
    return {(row["partition"], row["offset"]): row["reason"] or row["result"] for row in rows}


def document(story: Story, *, personal: bool) -> dict[str, Any]:
    """For programs."""
    letter, value = story.letter, letters.document(story.letter.value)
    return {
        "id": letter.id,
        "state": story.state,
        "why": letter.why,
        "detail": letter.detail,
        "error": letter.error,
        "group": letter.group,
        "came_from": {
            "topic": letter.topic,
            "partition": letter.partition,
            "offset": letter.offset,
            "at": instant(letter.timestamp),
        },
        "kept_in": {
            "topic": letter.kept_in,
            "partition": letter.kept_partition,
            "offset": letter.kept_offset,
            "at": instant(letter.kept_at),
        },
        "tenant": letter.tenant_id,
        "redrives": letter.redrives,
        "bytes": len(letter.value or b""),
        "sha256": sha256(letter.value or b"").hexdigest(),
        "event": value if personal else masked(value),
        **({"value": (letter.value or b"").hex(), "key": (letter.key or b"").hex()} if personal else {}),
        "headers": [name for name, _ in letter.headers],
        "came_after": {
            "its_own_record": _came_to(story.facts.own),
            "same_id": _came_to(story.facts.claim),
            "newer": _came_to(story.facts.newer),
            "attempts": list(story.attempts),
        },
        "redrive": story.judgement,
    }


def lines(story: Story, *, personal: bool) -> list[RenderableType]:
    """For people."""
    parts: list[RenderableType] = [
        _head(story),
        "",
        Text("What it says", style="bold"),
        _content(story, personal=personal),
    ]
    parts += ["", Text("What came after", style="bold"), Padding("\n".join(_after(story)), (0, 0, 0, 2))]
    parts += ["", Text("What can be done", style="bold"), Padding(_advice(story), (0, 0, 0, 2))]
    if not personal:
        parts += ["", HINT]
    return parts


def _head(story: Story) -> Table:
    letter = story.letter
    shown = Table(box=None, show_header=False, pad_edge=False)
    shown.add_column(no_wrap=True)
    shown.add_column(overflow="fold")
    attempts = some(int(letter.attempts), "attempt") if letter.attempts.isdecimal() else "some attempts"
    error = f", {letter.error} after {attempts}" if letter.error else ""
    for name, value in (
        ("letter", f"{letter.id}, {story.state}"),
        ("why", f"{letter.why}: {letter.detail}{error}"),
        ("group", letter.group or "none of ours"),
        ("came from", f"{letter.place}, {shown_time(instant(letter.timestamp))}"),
        (
            "kept in",
            f"{letter.kept_in}[{letter.kept_partition}]@{letter.kept_offset}, {shown_time(instant(letter.kept_at))}",
        ),
        ("tenant", letter.tenant_id or "its key names none"),
        ("event", f"{letter.event_type or 'no type'}, id {letter.event_id or 'none'}"),
        ("bytes", f"{len(letter.value or b''):,}, sha256 {sha256(letter.value or b'').hexdigest()[:16]}"),
        ("headers", ", ".join(name for name, _ in letter.headers) or "none"),
        ("redriven", f"{letter.redrives} times before" if letter.redrives else "never before"),
    ):
        shown.add_row(Text(name, style="dim"), Text(value))
    return shown


def _content(story: Story, *, personal: bool) -> RenderableType:
    value = letters.document(story.letter.value)
    found: list[RenderableType] = []
    if value is not None:
        readable = value if personal else masked(value)
        found.append(Text(json.dumps(readable, indent=2, ensure_ascii=False)))
    if isinstance(story.event, Unreadable):
        found.append(
            Text(f"Not an event of {story.letter.topic or 'ours'}: {story.event.why}, {story.event.detail}")
        )
    if personal and value is None:
        found.append(Text(_hexadecimal(story.letter.value or b"")))
    return Padding(Group(*found), (0, 0, 0, 2))


def _hexadecimal(value: bytes) -> str:
    rows = [
        f"{start:06x}  {row.hex(' '):<{3 * BYTES_A_LINE}} {''.join(chr(b) if 0x20 <= b < 0x7F else '.' for b in row)}"  # noqa: PLR2004 - what ASCII can show
        for start in range(0, min(len(value), BYTES_SHOWN), BYTES_A_LINE)
        if (row := value[start : start + BYTES_A_LINE])
    ]
    rest = len(value) - BYTES_SHOWN
    return "\n".join([*rows, *([f"... and {rest:,} bytes more: export has all"] if rest > 0 else [])])


def _after(story: Story) -> list[str]:
    facts = story.facts
    said = []
    if facts.own is not None:
        said.append(f"its record: {facts.own.reason or facts.own.result}, at {facts.own.place}")
    if facts.claim is not None and (facts.own is None or facts.claim.place != facts.own.place):
        said.append(f"the same id: {facts.claim.result} at {facts.claim.place}, {shown_time(facts.claim.at)}")
    if facts.newer is not None and (facts.claim is None or facts.newer.place != facts.claim.place):
        newer = facts.newer
        said.append(f"newer of the same: {newer.event_type} at {newer.place}, {shown_time(newer.at)}")
    said += [_attempt(each, story.copies) for each in story.attempts]
    return said or ["Nothing yet."]


def _attempt(attempt: Attempt, copies: Mapping[tuple[int, int], str]) -> str:
    when, run = shown_time(attempt.at), str(attempt.run)[:8]
    if attempt.action == "replay":
        what = (
            "decided at its own place by a replay" if attempt.state == "done" else "failed again in a replay"
        )
        return f"{what} {when} (run {run})"
    if attempt.action == "discard":
        return f"discarded {when}: {attempt.reason} (run {run})"
    if attempt.partition is None or attempt.offset is None:
        return f"to be redriven {when}, {'not sent' if attempt.state == 'undone' else 'in doubt'} (run {run})"
    came_to = copies.get((attempt.partition, attempt.offset))
    told = f", came to: {came_to}" if came_to else ""
    return f"redriven {when} as {attempt.topic}[{attempt.partition}]@{attempt.offset}{told} (run {run})"


def _advice(story: Story) -> Text:
    judgement, short = story.judgement, story.letter.id[:8]
    redrive = f"muster dead-letters redrive {short}"
    discard = f'muster dead-letters discard {short} --reason "..." --apply'
    match judgement.verdict:
        case "redrivable":
            return Text(f"It can be redriven: {redrive} --apply")
        case "settled" if not judgement.advice:
            return Text(f"Nothing: {judgement.why}.")
        case "stale" | "again":
            said = f"{BECOMES[judgement.verdict]}: {judgement.why}. {judgement.advice}"
            return Text(f"{said}\n{redrive} --force --apply")
        case _:
            return Text(f"{BECOMES[judgement.verdict]}: {judgement.why}. {judgement.advice}\n{discard}")


def _came_to(decided: Decided | None) -> dict[str, Any] | None:
    if decided is None:
        return None
    return {
        "topic": JOURNAL.name,
        "partition": decided.partition,
        "offset": decided.offset,
        "result": decided.result,
        "reason": decided.reason,
        "type": decided.event_type,
        "at": decided.at,
    }
