"""Exporting dead letters: everything they hold, a JSON object a line."""

import os
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Any

from ops.audit import audited, operator_connection
from ops.broker import asking
from ops.deadletters import standing
from ops.deadletters.choice import Choice
from ops.deadletters.letter import DeadLetter
from ops.deadletters.looking import require_named
from ops.deadletters.scanning import scan
from ops.ending import Misused, Refused
from ops.times import instant
from ops.voice import Voice, as_text
from ops.words import some
from worker.settings import Settings

STANDARD_OUTPUT = "-"


async def export(voice: Voice, settings: Settings, choice: Choice, to: str) -> None:
    """Write letters to a new file that nobody else may read, or to standard output."""
    if to == STANDARD_OUTPUT and voice.as_json:
        raise Misused("With --to - the letters are the answer, each as JSON: leave --json out.")
    number, named = 0, list[str]()
    async with operator_connection(settings) as database:
        known = await standing.standings(database)
    with _opened(voice, to) as put:
        async with asking(settings) as broker:
            async with audited(settings, "dead-letters export", {**choice.arguments(), "to": to}) as run:
                with voice.progress("exporting", unit="letters") as steps:
                    async for letters in scan(settings, broker, choice, known, steps):
                        put("".join(f"{as_text(_exported(each))}\n" for each in letters))
                        number += len(letters)
                        named += [each.id for each in letters if choice.ids]
                run.result["letters"] = number
            await require_named(settings, broker, choice, known, named)
    if to == STANDARD_OUTPUT:
        voice.remark(f"{some(number, 'letter')}.")
    else:
        voice.answer({"letters": number, "file": to}, f"{some(number, 'letter')} in {to}.")


@contextmanager
def _opened(voice: Voice, to: str) -> Iterator[Callable[[str], None]]:
    """What takes the lines. Of a file that does not get all of them nothing is left."""
    if to == STANDARD_OUTPUT:
        yield voice.write
        return
    try:
        descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Misused(f"{to} is there already: name another file.") from None
    except OSError as error:
        raise Misused(f"{to} can't be written: {os.strerror(error.errno or 0)}.") from None
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            yield partial(_put, file, to)
    except BaseException:
        Path(to).unlink(missing_ok=True)
        raise


def _put(file: FileIO, to: str, lines: str) -> None:
    rest = memoryview(lines.encode())
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        raise Refused(
            f"{to} can't be written: {os.strerror(error.errno or 0)}. Nothing is left of it."
        ) from None


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
