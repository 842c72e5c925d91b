"""Listing and showing dead letters; nothing is changed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from heapq import nlargest
from typing import Any

import typer
from rich.table import Table

from ops.audit import operator_connection
from ops.broker import asking
from ops.deadletters import showing, standing
from ops.deadletters.choice import Choice
from ops.deadletters.facts import gather
from ops.deadletters.judging import event_of, judge
from ops.deadletters.letter import DeadLetter
from ops.deadletters.scanning import scan
from ops.deadletters.standing import Standings
from ops.ending import Exit, Misused, Refused
from ops.groups import RESOLVER, tables_of
from ops.times import instant, shown_time
from ops.voice import Voice
from worker.settings import Settings

SHORT_ID = 8
Grouped = tuple[str, str, str]


async def list_letters(voice: Voice, settings: Settings, choice: Choice, limit: int) -> None:
    """Tell the newest letters that are meant, and how many there are of which kind."""
    async with operator_connection(settings) as database:
        known = await standing.standings(database)
    newest: list[DeadLetter] = []
    counts: Counter[Grouped] = Counter()
    open_ones = 0
    async with asking(settings) as broker:
        with voice.progress("reading", unit="letters") as steps:
            async for letters in scan(settings, broker, choice, known, steps):
                counts.update((each.topic or each.kept_in, each.group or "?", each.why) for each in letters)
                open_ones += sum(known.of(each.id) == "open" for each in letters)
                newest = nlargest(limit, newest + [_light(each) for each in letters], key=_age)
    _tell(voice, newest, counts, known)
    if open_ones:
        raise typer.Exit(Exit.ATTENTION)


async def find_one(voice: Voice, settings: Settings, choice: Choice, known: Standings) -> DeadLetter:
    """The one letter that is meant. Raises `Refused` for none, `Misused` for several."""
    async with asking(settings) as broker:
        with voice.progress("reading", unit="letters") as steps:
            found = [
                each async for letters in scan(settings, broker, choice, known, steps) for each in letters
            ]
    if not found:
        raise Refused(
            f"There is no dead letter {', '.join(choice.ids)}. `muster dead-letters list` lists them."
        )
    if len(found) > 1:
        raise Misused(
            f"{len(found)} letters begin so: {', '.join(each.id for each in found[:5])}. Say more of it."
        )
    return found[0]


async def show_letter(voice: Voice, settings: Settings, choice: Choice, *, personal: bool) -> None:
    """Tell everything about one letter."""
    async with operator_connection(settings) as database:
        known = await standing.standings(database)
        letter = await find_one(voice, settings, choice, known)
        attempts = await standing.attempts(database, letter.id)
    event = event_of(letter)
    async with tables_of(settings, RESOLVER) as database:
        [facts] = await gather(database, [letter], [event], settings.journal_partitions)
        copies = await showing.copies_came_to(database, attempts)
    story = showing.Story(letter, event, facts, judge(letter, event, facts), attempts, copies)
    voice.answer(showing.document(story, personal=personal), *showing.lines(story, personal=personal))


def _light(letter: DeadLetter) -> DeadLetter:
    """The same without what a list does not show."""
    return replace(letter, value=None, headers=())


def _age(letter: DeadLetter) -> tuple[int, str, int, int]:
    return letter.kept_at, letter.kept_in, letter.kept_partition, letter.kept_offset


def _tell(voice: Voice, newest: Sequence[DeadLetter], counts: Counter[Grouped], known: Standings) -> None:
    total = counts.total()
    document = {
        "total": total,
        "counts": [
            {"topic": topic, "group": group, "why": why, "letters": number}
            for (topic, group, why), number in counts.most_common()
        ],
        "letters": [_document(each, known) for each in newest],
    }
    if not total:
        voice.answer(document, "No such dead letters.")
        return
    if len(newest) < total:
        below = f"These are the newest {len(newest):,} of {total:,}: --limit shows more, --why, --tenant ... fewer."
    else:
        below = f"{total:,} in all."
    advice = "muster dead-letters show ID says more, and what can be done."
    voice.answer(document, _table(newest, known), "", _summary(counts), "", f"{below} {advice}")


def _table(letters: Sequence[DeadLetter], known: Standings) -> Table:
    shown = Table(box=None, pad_edge=False)
    for name in ("id", "kept", "why", "tenant", "type", "state"):
        shown.add_column(name, no_wrap=name in {"id", "kept", "why"}, overflow="ellipsis")
    for each in letters:
        shown.add_row(
            each.id[:SHORT_ID],
            shown_time(instant(each.kept_at)),
            each.why,
            each.tenant_id or "?",
            each.event_type.removeprefix("muster.") or "?",
            known.of(each.id),
        )
    return shown


def _summary(counts: Counter[Grouped]) -> Table:
    shown = Table("topic", "group", "why", "letters", box=None, pad_edge=False)
    shown.columns[-1].justify = "right"
    for (topic, group, why), number in counts.most_common():
        shown.add_row(topic, group, why, f"{number:,}")
    return shown


def _document(letter: DeadLetter, known: Standings) -> dict[str, Any]:
    return {
        "id": letter.id,
        "kept_at": instant(letter.kept_at),
        "why": letter.why,
        "group": letter.group,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "tenant": letter.tenant_id,
        "type": letter.event_type,
        "event_id": letter.event_id,
        "redrives": letter.redrives,
        "state": known.of(letter.id),
    }
