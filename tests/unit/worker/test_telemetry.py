"""Logs hold nothing that a person typed."""

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import pytest
import structlog

from worker import telemetry
from worker.failures import WrongLog
from worker.settings import Settings

PRIVATE = "ada@example.org"


@contextmanager
def logging_as_a_process() -> Iterator[None]:
    """Logging as a process has it, put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    telemetry.configure(Settings(log_format="json"), "tests")
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    said = capsys.readouterr().err
    assert PRIVATE not in said
    return [json.loads(line) for line in said.splitlines()]


def failing() -> Exception:
    """An exception with private words in its message, its detail and its cause's message."""
    try:
        int(PRIVATE)
    except ValueError as cause:
        error = asyncpg.UniqueViolationError(f'duplicate key "{PRIVATE}"')
        error.detail = f"Key (email)=({PRIVATE}) already exists."
        error.__cause__ = cause
        return error
    raise AssertionError


def test_an_exception_is_logged_by_class_and_place(capsys: pytest.CaptureFixture[str]) -> None:
    """The trace names classes and lines of code; messages, details and causes' messages stay out."""
    with logging_as_a_process():
        structlog.get_logger().error("broke", exc_info=failing())

    [line] = lines(capsys)
    trace = "\n".join(line["trace"])
    assert "asyncpg.exceptions.UniqueViolationError 23505" in trace
    assert "ValueError" in trace
    assert "test_telemetry.py" in trace
    assert line["service"] == "tests"


def test_exceptions_in_the_lines_of_libraries_are_logged_by_class(capsys: pytest.CaptureFixture[str]) -> None:
    """Whether passed as an argument or as the current exception."""
    with logging_as_a_process():
        logging.getLogger("aiokafka.tests").error("Failed: %s", failing())
        try:
            raise failing()
        except asyncpg.UniqueViolationError:
            logging.getLogger("tests").exception("Failed as well")

    first, second = lines(capsys)
    assert first["event"] == "Failed: asyncpg.exceptions.UniqueViolationError 23505"
    assert second["event"] == "Failed as well"


async def test_what_the_event_loop_complains_of_is_logged_by_class(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """asyncio's own line would quote the exception of a task that nobody awaited."""
    loop = asyncio.get_running_loop()
    telemetry.watch_loop(loop)
    with logging_as_a_process():
        loop.call_exception_handler(
            {"message": f"Task exception was never retrieved\n{PRIVATE}", "exception": failing()}
        )

    [line] = lines(capsys)
    assert line["what"] == "Task exception was never retrieved"


def test_what_a_person_should_do_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """The sentences of our own that end a process quote nobody, and are what the log is for."""
    with logging_as_a_process():
        structlog.get_logger().error("ended", exc_info=WrongLog("Restore the topic."))

    [line] = lines(capsys)
    assert line["trace"] == ["worker.failures.WrongLog: Restore the topic."]


def test_a_library_that_repeats_itself_is_heard_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Without its broker, aiokafka says the same thing many times a second."""
    with logging_as_a_process():
        for _ in range(100):
            logging.getLogger("aiokafka.tests").error("Unable to connect")

    assert len(lines(capsys)) == 1
