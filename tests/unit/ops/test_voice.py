"""How commands speak and end."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest
import typer
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError
from rich.text import Text

from ops import voice
from ops.ending import Exit, Incomplete, Misused, Refused
from ops.voice import Voice, explanation, speaking
from stack.errors import StackError
from worker.failures import NotPublished, WrongLog


@dataclass(frozen=True)
class Thing:
    name: str
    at: datetime


THING = Thing("a", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def test_an_answer_is_for_people_or_for_programs(capsys):
    """With --json the document, without it the words; both on standard output, and nothing else there."""
    for as_json in (False, True):
        with speaking(as_json=as_json) as speaker:
            speaker.remark("on the side")
            speaker.answer({"thing": THING, "id": UUID(int=1), "bytes": b"\xff"}, "a thing")

    said = capsys.readouterr()
    words, document = said.out.splitlines()
    assert words == "a thing"
    assert json.loads(document) == {
        "thing": {"name": "a", "at": "2026-01-02T03:04:05Z"},
        "id": "00000000-0000-0000-0000-000000000001",
        "bytes": "ff",
    }
    assert said.err == "on the side\n"


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (Misused("say it so"), Exit.USAGE, "say it so"),
        (Refused("not while it runs"), Exit.REFUSED, "not while it runs"),
        (WrongLog("another cluster"), Exit.REFUSED, "another cluster"),
        (StackError("busy"), Exit.REFUSED, "busy"),
        (Incomplete("half"), Exit.INCOMPLETE, "half"),
        (KafkaConnectionError("host"), Exit.UNREACHABLE, "Kafka does not answer"),
        (KafkaTimeoutError(), Exit.UNREACHABLE, "Kafka does not answer"),
        (NotPublished("2 records"), Exit.UNREACHABLE, "Kafka does not answer"),
        (ConnectionRefusedError(), Exit.UNREACHABLE, "Postgres does not let us in"),
        (asyncpg.InvalidPasswordError("for user"), Exit.UNREACHABLE, "Postgres does not let us in"),
        (asyncpg.UndefinedTableError("ops.audit"), Exit.REFUSED, "muster migrate"),
        (ValueError("private: John Smith"), Exit.BROKEN, "fault of Muster's own"),
    ],
)
def test_an_exception_ends_with_a_code_and_a_sentence(error, code, words, capsys):
    """What a person can mend is said in words; of what nobody foresaw the place is said, never the message."""
    assert explanation(error)[0] is code

    with pytest.raises(typer.Exit) as ended, speaking():
        raise error

    assert ended.value.exit_code == code
    said = capsys.readouterr()
    assert (said.out, words in said.err, "John Smith" in said.err) == ("", True, False)


def test_a_failure_is_json_too(capsys):
    """A script finds the reason where it looks for the answer."""
    with pytest.raises(typer.Exit), speaking(as_json=True):
        raise Refused("not while it runs")

    assert json.loads(capsys.readouterr().out) == {
        "error": {"code": "refused", "message": "not while it runs"}
    }


def test_an_interruption_has_a_code_of_its_own(capsys):
    """As a shell would have it."""
    with pytest.raises(typer.Exit) as ended, speaking():
        raise KeyboardInterrupt

    assert ended.value.exit_code == Exit.INTERRUPTED
    assert "next run" in capsys.readouterr().err


def test_progress_is_a_line_now_and_then_where_there_is_no_terminal(capsys, monkeypatch):
    """With its rate and the time left, on standard error."""
    now = iter([0.0, 5.0, 10.0])
    monkeypatch.setattr(voice.time, "monotonic", lambda: next(now))

    with Voice().progress("redriving", total=4000, unit="letters") as steps:
        steps.advance(500)
        steps.advance(500)

    assert capsys.readouterr().err == "redriving: 1,000 of 4,000 letters, 100/s, 30 s left\n"


def test_nothing_that_is_told_is_markup_or_a_command_to_the_terminal(capsys):
    """Whatever anybody has written into a record or named a group: it is shown, and does nothing."""
    with speaking() as speaker:
        speaker.answer({}, "[/b] [red]x\x1b[31m\x9b\u202e", Text("\ud800"))
        speaker.remark("[/b]")

    said = capsys.readouterr()
    assert (
        said.out
        == "[/b] [red]x\N{REPLACEMENT CHARACTER}[31m"
        + "\N{REPLACEMENT CHARACTER}" * 2
        + "\n\N{REPLACEMENT CHARACTER}\n"
    )
    assert said.err == "[/b]\n"
