"""Redriving and discarding dead letters: shown first, done when asked for, noted in the audit."""

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

import typer
from rich.table import Table

from ops import audit
from ops.audit import audited, operator_connection
from ops.broker import Broker, asking
from ops.deadletters import standing
from ops.deadletters.choice import Choice
from ops.deadletters.judging import Judgement
from ops.deadletters.looking import kind_of, require_named, summary
from ops.deadletters.redriving import Tally, goes, judged, redrive_all
from ops.deadletters.scanning import scan
from ops.ending import Exit, Misused
from ops.times import shown_time
from ops.voice import Steps, Voice
from ops.words import some
from worker.database import Database
from worker.publisher import Publisher
from worker.settings import Settings

REDRIVE, SETTLE = "dead-letters redrive", "dead-letters settle"
BECOMES = {
    "redrivable": "redriven",
    "stale": "stale",
    "again": "would fail again",
    "settled": "settled",
    "hopeless": "can't be redriven",
}


async def redrive(voice: Voice, settings: Settings, choice: Choice, *, force: bool, apply: bool) -> None:
    """Tell what would become of the letters; with `apply`, redrive those that can be."""
    async with asking(settings) as broker:
        if not apply:
            await _say_what_is_half_way(voice, settings)
            tally = await _preview(voice, settings, broker, choice)
            _tell(voice, tally, None, force=force)
            return
        async with standing.alone(settings) as database:
            await _say_where_things_stand(voice, settings, broker, database)
            tally = await _preview(voice, settings, broker, choice)
            number = tally.going(force=force)
            done = (
                await _redrive(voice, settings, broker, database, choice, number, force=force)
                if number
                else 0
            )
    _tell(voice, tally, done, force=force)
    if tally.numbers.total() > done + tally.of("settled"):
        raise typer.Exit(Exit.ATTENTION)


async def discard(voice: Voice, settings: Settings, choice: Choice, reason: str, *, apply: bool) -> None:
    """Tell which letters are meant; with `apply`, discard them."""
    if not reason.strip():
        raise Misused("Say why: --reason is for whoever looks at these letters later.")
    async with asking(settings) as broker, _database(settings, alone=apply) as database:
        known = await standing.standings(database)
        with voice.progress("reading", unit="letters") as steps:
            found = [
                each async for letters in scan(settings, broker, choice, known, steps) for each in letters
            ]
        await require_named(settings, broker, choice, known, [each.id for each in found])
        if apply and found:
            arguments = {**choice.arguments(), "reason": reason}
            async with audited(settings, "dead-letters discard", arguments) as run:
                await standing.discard(database, run.id, found, known, reason)
                run.result["letters"] = len(found)
    done = apply and bool(found)
    letters = some(len(found), "letter")
    said = f"Discarded {letters}." if done else f"{letters} would be discarded. Add --apply to do it."
    document = {"applied": done, "letters": len(found), "ids": [each.id for each in found]}
    if not found:
        voice.answer(document, "No such dead letters.")
    elif done:
        voice.answer(document, said)
    else:
        voice.answer(document, summary(Counter(map(kind_of, found))), "", said)


def _database(settings: Settings, *, alone: bool) -> AbstractAsyncContextManager[Database]:
    """To look is for everybody at any time, to change for one at a time."""
    return standing.alone(settings) if alone else operator_connection(settings)


async def _preview(voice: Voice, settings: Settings, broker: Broker, choice: Choice) -> Tally:
    tally, named = Tally(), list[str]()
    async with operator_connection(settings) as database:
        known = await standing.standings(database)
    with voice.progress("judging", unit="letters") as steps:
        async for portion in judged(settings, broker, choice, known, steps):
            named += [letter.id for letter, _ in portion if choice.ids]
            for letter, judgement in portion:
                tally.count(letter, judgement)
    await require_named(settings, broker, choice, known, named)
    return tally


async def _redrive(
    voice: Voice,
    settings: Settings,
    broker: Broker,
    database: Database,
    choice: Choice,
    number: int,
    *,
    force: bool,
) -> int:
    known = await standing.standings(database)
    publisher = Publisher(settings, "muster-redrive", compression="gzip")
    done = 0
    arguments = {**choice.arguments(), "force": force}
    try:
        async with audited(settings, REDRIVE, arguments) as run:
            with voice.progress("redriving", number, "letters") as steps:
                async for portion in judged(settings, broker, choice, known, Steps()):
                    letters = [letter for letter, judgement in portion if goes(judgement, force=force)]
                    async for sent in redrive_all(publisher, database, run.id, letters, known):
                        done += sent
                        run.result["letters"] = done
                        steps.advance(sent)
    finally:
        await publisher.close()
    return done


async def _say_what_is_half_way(voice: Voice, settings: Settings) -> None:
    """For a preview, which may be shown while somebody else is at work."""
    async with operator_connection(settings) as database:
        doubtful = await standing.in_doubt(database)
    for run in await audit.unfinished(settings, REDRIVE):
        stands = "is still at work" if run.at_work else "was killed"
        voice.remark(f"The redrive of {shown_time(run.at)} by {run.who} {stands}.")
    if doubtful:
        voice.remark(
            f"{some(len(doubtful), 'letter')} are in doubt: a run with --apply finds out which are out."
        )


async def _say_where_things_stand(
    voice: Voice, settings: Settings, broker: Broker, database: Database
) -> None:
    """A run that was killed has left letters in doubt: find out which of them are out. Nobody else is at work."""
    killed = {each.run: each.at for each in await audit.end_killed(settings, REDRIVE)}
    for verb in (SETTLE, "dead-letters discard"):
        await audit.end_killed(settings, verb)
    doubtful = await standing.in_doubt(database)
    if doubtful:
        async with audited(settings, SETTLE, {"letters": len(doubtful)}) as run:
            out, back = await standing.settle(settings, broker, database, doubtful)
            run.result.update(redriven=out, open=back)
    broken_off = {each.run: each.at for each in doubtful} | killed
    for each in await standing.came_to(database, list(broken_off)):
        voice.remark(
            f"The redrive of {shown_time(broken_off[each.run])} did not come to its end: it has redriven "
            f"{some(each.redriven, 'letter')}; of those it had in hand {each.undone:,} are not out, and open again."
        )


def _tell(voice: Voice, tally: Tally, done: int | None, *, force: bool) -> None:
    total = tally.numbers.total()
    going = tally.going(force=force)
    document = {
        "applied": done is not None,
        "letters": total,
        "redriven" if done is not None else "would_be_redriven": going if done is None else done,
        "judgements": [
            {
                "verdict": judgement.verdict,
                "why": judgement.why,
                "advice": judgement.advice,
                "letters": number,
                "examples": [each.id for each in tally.examples[judgement]],
            }
            for judgement, number in tally.numbers.most_common()
        ],
    }
    if not total:
        voice.answer(document, "No such dead letters.")
        return
    voice.answer(document, _table(tally, force=force), "", *_sentences(tally, going, done, force=force))


def _table(tally: Tally, *, force: bool) -> Table:
    shown = Table(box=None, pad_edge=False)
    shown.add_column("letters", justify="right")
    shown.add_column("what becomes of them", no_wrap=True)
    shown.add_column("why, and what to do", overflow="fold")
    shown.add_column("such as", no_wrap=True)
    for judgement, number in tally.numbers.most_common():
        going = goes(judgement, force=force)
        becomes = BECOMES["redrivable"] if going else BECOMES[judgement.verdict]
        why = _why(judgement, advised=not going)
        shown.add_row(f"{number:,}", becomes, why, tally.examples[judgement][0].id[:8])
    return shown


def _why(judgement: Judgement, *, advised: bool) -> str:
    """The advice is for what stays: of what goes, though forced to, it would speak against what is being done."""
    if not judgement.why:
        return ""
    return f"{judgement.why}. {judgement.advice}" if advised else f"{judgement.why}."


def _sentences(tally: Tally, going: int, done: int | None, *, force: bool) -> Sequence[str]:
    said = []
    if done is not None:
        said.append(f"{done:,} redriven." if done else "None of them was redriven.")
        said += ["What they came to: muster dead-letters show ID."] if done else []
    else:
        said.append(
            f"{going:,} would be redriven. Add --apply to do it." if going else "None would be redriven."
        )
    forceable = tally.of("stale", "again")
    if forceable and not force:
        said.append(f"{forceable:,}{' more' if going else ''} with --force; look at them first.")
    return [" ".join(said)]
