"""Listing and showing dead letters; nothing is changed."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from heapq import nlargest
from typing import Any

import typer
from rich.table import Table

from ops.audit import operator_connection
from ops.broker import Broker, asking
from ops.deadletters import showing, standing
from ops.deadletters.choice import Choice
from ops.deadletters.facts import gather
from ops.deadletters.judging import Judgement, event_of, judge
from ops.deadletters.letter import DeadLetter
from ops.deadletters.scanning import scan
from ops.deadletters.standing import Standings
from ops.ending import Exit, Misused, Refused
from ops.groups import RESOLVER, tables_of
from ops.times import instant, shown_time
from ops.voice import Steps, Voice
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
                counts.update(map(kind_of, letters))
                open_ones += sum(known.of(each.id) == "open" for each in letters)
                newest = nlargest(limit, newest + [_light(each) for each in letters], key=_age)
    _tell(voice, newest, counts, known, with_state=choice.state is None)
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
        raise Refused(_none(choice.ids))
    if len(found) > 1:
        raise Misused(_several([each.id for each in found]))
    return found[0]


async def require_named(
    settings: Settings, broker: Broker, choice: Choice, known: Standings, found: Collection[str]
) -> None:
    """Raise `Refused` for an id of the choice that none of the found begins with, `Misused` for one of several."""
    for each in choice.ids:
        several = [one for one in found if one.startswith(each)]
        if len(several) > 1:
            raise Misused(_several(several))
    missing = [each for each in choice.ids if not any(one.startswith(each) for one in found)]
    if not missing:
        return
    named = [
        letter
        async for letters in scan(settings, broker, Choice(ids=missing, state=None), known, Steps())
        for letter in letters
    ]
    for each in missing:
        state = next((known.of(letter.id) for letter in named if letter.id.startswith(each)), None)
        if state is None:
            raise Refused(_none([each]))
        if choice.state is not None and state != choice.state:
            raise Refused(
                f"{each} is {state}, not {choice.state}: `muster dead-letters show {each}` says more."
            )
        raise Refused(f"{each} is there, but the other options do not fit it.")


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
    state = known.of(letter.id)
    judgement = (
        judge(letter, event, facts)
        if state in {"open", "in doubt"}
        else Judgement("settled", f"it was {state}")
    )
    story = showing.Story(letter, state, event, facts, judgement, attempts, copies)
    voice.answer(showing.document(story, personal=personal), *showing.lines(story, personal=personal))


def _none(ids: Collection[str]) -> str:
    return f"There is no dead letter {', '.join(ids)}. `muster dead-letters list --state all` lists them."


def _several(ids: Sequence[str]) -> str:
    return f"{len(ids)} letters begin so: {', '.join(ids[:5])}. Say more of it."


def _light(letter: DeadLetter) -> DeadLetter:
    """The same without what a list does not show."""
    return replace(letter, value=None, headers=())


def _age(letter: DeadLetter) -> tuple[int, str, int, int]:
    return letter.kept_at, letter.kept_in, letter.kept_partition, letter.kept_offset


def _tell(
    voice: Voice,
    newest: Sequence[DeadLetter],
    counts: Counter[Grouped],
    known: Standings,
    *,
    with_state: bool,
) -> None:
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
    shown = _table(newest, known, with_state=with_state)
    voice.answer(document, shown, "", summary(counts), "", f"{below} {advice}")


def _table(letters: Sequence[DeadLetter], known: Standings, *, with_state: bool) -> Table:
    shown = Table(box=None, pad_edge=False)
    for name in ("id", "kept", "group", "why"):
        shown.add_column(name, no_wrap=True)
    for name in ("tenant", "type"):
        shown.add_column(name, no_wrap=True, overflow="ellipsis")
    if with_state:
        shown.add_column("state", no_wrap=True)
    for each in letters:
        shown.add_row(
            each.id[:SHORT_ID],
            shown_time(instant(each.kept_at)),
            each.group or "?",
            each.why,
            each.tenant_id or "?",
            each.short_type or "?",
            *([known.of(each.id)] if with_state else []),
        )
    return shown


def kind_of(letter: DeadLetter) -> Grouped:
    """What letters are counted by: topic, group and reason."""
    return letter.topic or letter.kept_in, letter.group or "?", letter.why


def summary(counts: Counter[Grouped]) -> Table:
    """How many letters there are of which kind."""
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
