"""Redriving, discarding and exporting dead letters: shown first, done when asked for, noted in the audit."""

import os
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from rich.table import Table

from ops import audit
from ops.audit import audited, operator_connection
from ops.broker import Broker, asking
from ops.deadletters import standing
from ops.deadletters.choice import Choice
from ops.deadletters.judging import Judgement
from ops.deadletters.letter import DeadLetter
from ops.deadletters.redriving import Tally, goes, judged, redrive_all
from ops.deadletters.scanning import scan
from ops.ending import Misused
from ops.times import instant, shown_time
from ops.voice import Steps, Voice
from ops.words import some
from worker.database import Database
from worker.publisher import Publisher
from worker.settings import Settings

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
            tally = await _preview(voice, settings, broker, choice)
            _tell(voice, tally, None, force=force)
            return
        async with standing.alone(settings) as database:
            await _say_where_things_stand(voice, settings, broker, database)
            tally = await _preview(voice, settings, broker, choice)
            number = sum(each for judgement, each in tally.numbers.items() if goes(judgement, force=force))
            done = (
                await _redrive(voice, settings, broker, database, choice, number, force=force)
                if number
                else 0
            )
    _tell(voice, tally, done, force=force)


async def discard(voice: Voice, settings: Settings, choice: Choice, reason: str, *, apply: bool) -> None:
    """Tell which letters are meant; with `apply`, discard them."""
    if not reason.strip():
        raise Misused("Say why: --reason is for whoever looks at these letters later.")
    async with asking(settings) as broker, standing.alone(settings) as database:
        known = await standing.standings(database)
        with voice.progress("reading", unit="letters") as steps:
            found = [
                each async for letters in scan(settings, broker, choice, known, steps) for each in letters
            ]
        if apply and found:
            arguments = {**choice.arguments(), "reason": reason}
            async with audited(settings, "dead-letters discard", arguments) as run:
                await standing.discard(database, run.id, found, known, reason)
                run.result["letters"] = len(found)
    done = apply and bool(found)
    letters = some(len(found), "letter")
    said = f"Discarded {letters}." if done else f"{letters} would be discarded. Add --apply to do it."
    voice.answer(
        {"applied": done, "letters": len(found), "ids": [each.id for each in found]},
        said if found else "No such dead letters.",
    )


async def export(voice: Voice, settings: Settings, choice: Choice, path: Path) -> None:
    """Write letters to a new file that nobody else may read."""
    async with operator_connection(settings) as database:
        known = await standing.standings(database)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Misused(f"{path} is there already: name another file.") from None
    except OSError as error:
        raise Misused(f"{path} can't be written: {os.strerror(error.errno or 0)}.") from None
    number = 0
    arguments = {**choice.arguments(), "to": str(path)}
    with os.fdopen(descriptor, "wb") as file:
        async with asking(settings) as broker, audited(settings, "dead-letters export", arguments) as run:
            with voice.progress("exporting", unit="letters") as steps:
                async for letters in scan(settings, broker, choice, known, steps):
                    file.writelines(orjson.dumps(_exported(each)) + b"\n" for each in letters)
                    number += len(letters)
            run.result["letters"] = number
    voice.answer({"letters": number, "file": str(path)}, f"{some(number, 'letter')} in {path}.")


async def _preview(voice: Voice, settings: Settings, broker: Broker, choice: Choice) -> Tally:
    tally = Tally()
    async with operator_connection(settings) as database:
        known = await standing.standings(database)
    with voice.progress("judging", unit="letters") as steps:
        async for portion in judged(settings, broker, choice, known, steps):
            for letter, judgement in portion:
                tally.count(letter, judgement)
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
        async with audited(settings, "dead-letters redrive", arguments) as run:
            with voice.progress("redriving", number, "letters") as steps:
                async for portion in judged(settings, broker, choice, known, Steps()):
                    letters = [letter for letter, judgement in portion if goes(judgement, force=force)]
                    async for some in redrive_all(publisher, database, run.id, letters, known):
                        done += some
                        run.result["letters"] = done
                        steps.advance(some)
    finally:
        await publisher.close()
    return done


async def _say_where_things_stand(
    voice: Voice, settings: Settings, broker: Broker, database: Database
) -> None:
    """A run that was killed has left letters in doubt: find out which of them are out."""
    for verb in ("dead-letters redrive", "dead-letters settle", "dead-letters discard"):
        await audit.end_killed(settings, verb)
    doubtful = await standing.in_doubt(database)
    if not doubtful:
        return
    async with audited(settings, "dead-letters settle", {"letters": len(doubtful)}) as run:
        out, back = await standing.settle(settings, broker, database, doubtful)
        run.result.update(redriven=out, open=back)
    began, letters = shown_time(doubtful[0].at), some(len(doubtful), "letter")
    voice.remark(
        f"A redrive of {began} did not come to its end. Of {letters} that "
        f"it had in hand {out:,} are out and count as redriven; {back:,} are not, and are open again."
    )


def _tell(voice: Voice, tally: Tally, done: int | None, *, force: bool) -> None:
    total = tally.numbers.total()
    going = sum(number for judgement, number in tally.numbers.items() if goes(judgement, force=force))
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
        becomes = BECOMES["redrivable"] if goes(judgement, force=force) else BECOMES[judgement.verdict]
        shown.add_row(f"{number:,}", becomes, _why(judgement), tally.examples[judgement][0].id[:8])
    return shown


def _why(judgement: Judgement) -> str:
    return f"{judgement.why}. {judgement.advice}" if judgement.why else ""


def _sentences(tally: Tally, going: int, done: int | None, *, force: bool) -> Sequence[str]:
    said = []
    if done is not None:
        said.append(f"{done:,} redriven." if done else "None of them was redriven.")
        said += ["What they came to: muster dead-letters show ID."] if done else []
    else:
        said.append(f"{going:,} would be redriven. {'Add --apply to do it.' if going else ''}")
    forceable = tally.of("stale", "again")
    if forceable and not force:
        said.append(f"{forceable:,} more with --force; look at them first.")
    return [" ".join(said)]


def _exported(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "why": letter.why,
        "detail": letter.detail,
        "error": letter.error,
        "group": letter.group,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "timestamp": instant(letter.timestamp),
        "kept_at": instant(letter.kept_at),
        "redrives": letter.redrives,
        "key": _base64(letter.key),
        "value": _base64(letter.value),
        "headers": [[name, _base64(value)] for name, value in letter.headers],
    }


def _base64(value: bytes | None) -> str | None:
    return None if value is None else b64encode(value).decode()
