"""How every verb speaks: to people by default, as one JSON document with `--json`; the answer goes to standard output.

Remarks, progress and complaints go to standard error, so that what is piped on is the answer and nothing else.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import orjson
import structlog
import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.segment import Segment
from rich.text import Text

from ops.ending import Exit
from ops.explaining import last_words
from worker import telemetry

AsJson = Annotated[
    bool,
    typer.Option("--json", help="Answer with one JSON document, for programs."),
]
Apply = Annotated[
    bool, typer.Option("--apply", help="Do it. Without this, what would be done is only shown.")
]

SECONDS_BETWEEN_LINES = 10.0
COLUMNS_OF_A_FILE = 160
UNSEEN = dict.fromkeys(
    (
        *range(0x0A),
        *range(0x0B, 0x20),
        *range(0x7F, 0xA0),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
        *range(0xD800, 0xE000),
    ),
    "\N{REPLACEMENT CHARACTER}",
)
"""Characters that tell a terminal what to do, turn the order of a line round, or can't be written at all."""


class Plain(Console):
    """A console for what anybody may have written: nothing in a text is markup, or does anything to the terminal."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False)
        if not self.is_terminal and "COLUMNS" not in os.environ:
            self.width = COLUMNS_OF_A_FILE

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> "Iterator[Segment]":
        for each in super().render(renderable, options):
            yield each if each.control else Segment(each.text.translate(UNSEEN), each.style)


class Voice:
    """One command's way of telling. `console` is standard output, `aside` standard error."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.console = Plain()
        self.aside = Plain(stderr=True)

    def answer(self, document: Any, *shown: RenderableType, verbatim: bool = False) -> None:
        """Give the answer: the document to programs, the renderables to people.

        What is to be copied is told `verbatim`: lines stay whole, however narrow the terminal is.
        """
        if self.as_json:
            self.write(as_text(document) + "\n")
            return
        with self.console.capture() as told:
            for each in shown:
                self.console.print(each, soft_wrap=verbatim)
        self.write("".join(f"{line.rstrip()}\n" for line in told.get().splitlines()))

    def write(self, text: str) -> None:
        """Write to standard output. When whoever listened has had enough, as `head` has, the command ends."""
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(Exit.DONE) from None

    def remark(self, sentence: str) -> None:
        """Say something on the side, to people only."""
        if not self.as_json:
            self.aside.print(sentence)

    @contextmanager
    def progress(self, doing: str, total: int | None = None, unit: str = "records") -> "Iterator[Steps]":
        """Show how far something has come, with its rate and the time left; a line now and then off a terminal."""
        if self.aside.is_terminal and not self.as_json:
            with Progress(*_columns(unit), console=self.aside, transient=True) as shown:
                yield _Bar(shown, doing, total)
        else:
            yield _Lines(self.aside, doing, total, unit)

    def fail(self, code: Exit, sentence: str) -> typer.Exit:
        """Say why the command ends, and return what ends it."""
        if self.as_json:
            sys.stdout.write(as_text({"error": {"code": code.name.lower(), "message": sentence}}) + "\n")
        else:
            self.aside.print(sentence, style="red" if self.aside.is_terminal else "", soft_wrap=True)
        return typer.Exit(code)


class Steps:
    """What has been done of something that takes a while; this one tells nobody."""

    def advance(self, number: int = 1) -> None:
        """So much more is done."""

    def expect(self, total: int) -> None:
        """So much there is to do altogether."""


@contextmanager
def speaking(*, as_json: bool = False) -> "Iterator[Voice]":
    """Have a voice, and end the command with a code and a sentence where a trace would help nobody."""
    voice = Voice(as_json=as_json)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # the sentence below says it once
    if not structlog.is_configured():
        telemetry.aside()
    try:
        with _signals_interrupt():
            yield voice
    except (typer.Exit, typer.Abort):
        raise
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise voice.fail(Exit.INTERRUPTED, "Interrupted. The next run says where things stand.") from None
    except Exception as error:  # noqa: BLE001 - whatever it is, it becomes a code and a sentence
        raise voice.fail(*last_words(error)) from None


@contextmanager
def _signals_interrupt() -> "Iterator[None]":
    """A command that is asked to end, or whose terminal is closed, ends as by Ctrl-C: it says so, and the audit too."""
    before = {
        number: signal.signal(number, _interrupt)
        for number in (signal.SIGTERM, signal.SIGHUP)
        if threading.current_thread() is threading.main_thread()
        and signal.getsignal(number) is signal.SIG_DFL
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(*_: object) -> None:
    # A shell or nohup has what it starts in the background ignore Ctrl-C.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.raise_signal(signal.SIGINT)


def as_text(document: Any) -> str:
    """The document as JSON; dataclasses and times are written as they are."""
    options = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
    return orjson.dumps(document, default=_plain, option=options).decode()


def _plain(value: Any) -> Any:
    match value:
        case bytes():
            return value.hex()
        case Mapping():
            return dict(value)
        case set() | frozenset():
            return sorted(value)
    return str(value)


class _Rate(ProgressColumn):
    """So many a second."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} {self._unit}/s" if speed else "", style="progress.data.speed")


def _columns(unit: str) -> list[ProgressColumn]:
    return [
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        _Rate(unit),
        TimeRemainingColumn(compact=True),
    ]


class _Bar(Steps):
    def __init__(self, shown: Progress, doing: str, total: int | None) -> None:
        self._shown = shown
        self._task = shown.add_task(doing, total=total)

    def advance(self, number: int = 1) -> None:
        self._shown.advance(self._task, number)

    def expect(self, total: int) -> None:
        self._shown.update(self._task, total=total)


class _Lines(Steps):
    """For logs: how far it is, now and then."""

    def __init__(self, console: Console, doing: str, total: int | None, unit: str) -> None:
        self._console = console
        self._doing = doing
        self._total = total
        self._unit = unit
        self._done = 0
        self._began = self._said = time.monotonic()

    def advance(self, number: int = 1) -> None:
        self._done += number
        now = time.monotonic()
        if now - self._said >= SECONDS_BETWEEN_LINES:
            self._said = now
            self._console.print(self._line(now), soft_wrap=True)

    def expect(self, total: int) -> None:
        self._total = total

    def _line(self, now: float) -> str:
        rate = self._done / max(now - self._began, 0.001)
        of = f" of {self._total:,}" if self._total is not None else ""
        left = f", {(self._total - self._done) / rate:,.0f} s left" if self._total and rate else ""
        return f"{self._doing}: {self._done:,}{of} {self._unit}, {rate:,.0f}/s{left}"
