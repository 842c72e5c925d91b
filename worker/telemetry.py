"""Logs for people and machines: structured, and without anything that a person typed.

The message of an exception may quote a value (asyncpg's `detail` shows whole rows), so exceptions are written as their
class and the places they went through, never with their message. That holds for other people's log lines too.
"""

import asyncio
import logging
import sys
import time
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from worker.failures import Stop, describe
from worker.settings import Settings

LONGEST_TRACE = 30
QUIET = ("aiokafka", "faststream", "uvicorn", "asyncio", "httpx", "httpcore")
"""Libraries that say much: from them warnings are enough, and each of them now and then.

What httpx says of each call would be worse than much: the text that somebody searches XPM for is in its address.
"""
QUIET_SECONDS = 30.0
"""Without its broker, aiokafka says the same things eighty times a second."""

Line = MutableMapping[str, Any]


def aside() -> None:
    """Send the grave log lines of a command to standard error; whatever else there is to say it says itself."""
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_messages,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
    )


def configure(settings: Settings, service: str) -> None:
    """Send every log line of the process through one formatter to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(service),
        _without_messages,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.log_level)),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_Seldom())
    handler.addFilter(_quote_nothing)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(settings)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def watch_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Log what the event loop complains of by class; its own lines quote the exception."""
    loop.set_exception_handler(_loop_complains)


def trace(error: BaseException) -> list[str]:
    """The chain of exceptions with the places each went through, without their messages."""
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        lines.append(describe(current) + (f": {current}" if isinstance(current, Stop) else ""))
        lines += [
            f"  {frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(current.__traceback__)[-LONGEST_TRACE:]
        ]
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return lines


def _named(service: str) -> structlog.typing.Processor:
    def name(_: Any, __: str, line: Line) -> Line:
        return {"event": line.pop("event"), "service": service, **line}

    return name


def _without_messages(_: Any, __: str, line: Line) -> Line:
    error = line.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        line["trace"] = trace(error)
    line.pop("exc_text", None)
    line.pop("stack_info", None)
    return line


class _Seldom(logging.Filter):
    """Lets each sentence of a talkative library through once in a while."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(QUIET) or record.levelno >= logging.CRITICAL:
            return True
        sentence, now = (record.name, record.lineno), time.monotonic()
        if now - self._said.get(sentence, -QUIET_SECONDS) < QUIET_SECONDS:
            return False
        self._said[sentence] = now
        return True


def _quote_nothing(record: logging.LogRecord) -> bool:
    """Put the class in the place of each exception that a library logs as an argument."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            describe(each) if isinstance(each, BaseException) else each for each in record.args
        )
    record.exc_text = None
    return True


def _renderer(settings: Settings) -> structlog.typing.Processor:
    for_people = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    if for_people:
        return structlog.dev.ConsoleRenderer()
    return structlog.processors.JSONRenderer()


def _loop_complains(_: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    error = context.get("exception")
    what = str(context.get("message", "")).partition("\n")[0]
    structlog.get_logger(__name__).error("event_loop", what=what, exc_info=error)
