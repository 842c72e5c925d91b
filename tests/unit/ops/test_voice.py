"""How commands speak and end."""

import json
import signal
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest
import typer
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError, TopicAuthorizationFailedError
from rich.text import Text

from ops import cli, voice
from ops.ending import Exit, Incomplete, Misused, Refused
from ops.explaining import explanation
from ops.voice import Voice, speaking
from stack.errors import StackError
from worker.failures import NotPublished, WrongLog
from worker.topics import TopicsMissing


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
        (TopicsMissing("Kafka at x has no topic y."), Exit.REFUSED, "has no topic y"),
        (ConnectionRefusedError(), Exit.UNREACHABLE, "Postgres does not answer at "),
        (TimeoutError(), Exit.UNREACHABLE, "`muster doctor` says which"),
        (asyncpg.DiskFullError("of x"), Exit.UNREACHABLE, "broke it off (DiskFullError)"),
        (asyncpg.InvalidPasswordError("for user"), Exit.REFUSED, "does not accept the user or the password"),
        (asyncpg.InvalidCatalogNameError("x"), Exit.REFUSED, "has no database"),
        (asyncpg.InsufficientPrivilegeError("denied for x"), Exit.REFUSED, "may not do that at "),
        (TopicAuthorizationFailedError(), Exit.REFUSED, "does not allow that"),
        (PermissionError(13, "Permission denied", "/a/b"), Exit.REFUSED, "/a/b: Permission denied"),
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


def test_of_a_fault_of_our_own_the_trace_is_kept_and_shown_where_it_is_asked_for(
    capsys, monkeypatch, tmp_path
):
    """One sentence says where it is, without a message; MUSTER_DEBUG=1 shows all there is."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for debug in ("", "1"):
        monkeypatch.setenv("MUSTER_DEBUG", debug)
        with pytest.raises(typer.Exit), speaking():
            raise KeyError("John Smith")

    first, *more = capsys.readouterr().err.splitlines()
    [kept] = tmp_path.iterdir()
    assert "(KeyError" in first
    assert f"Its trace is kept in {kept}." in first
    assert "test_voice.py" in kept.read_text()
    assert "John Smith" not in kept.read_text()
    assert more[0].startswith("Traceback")
    assert "KeyError: 'John Smith'" in more


def test_whatever_no_verb_has_foreseen_is_a_sentence_too(capsys, monkeypatch, tmp_path):
    """Also where a verb breaks before it speaks."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(cli, "load", lambda _: 1 / 0)
    monkeypatch.setattr(sys, "argv", ["muster", "lag"])

    with pytest.raises(SystemExit) as ended:
        cli.main()

    assert ended.value.code == Exit.BROKEN
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_whoever_is_asked_to_end_ends_as_by_ctrl_c(number, capsys):
    """As when a terminal is closed: the command says so, and what it had begun is noted as interrupted."""
    with pytest.raises(typer.Exit) as ended, speaking():
        signal.raise_signal(number)

    assert ended.value.exit_code == Exit.INTERRUPTED
    assert signal.getsignal(number) is signal.SIG_DFL
    assert "next run" in capsys.readouterr().err


def test_what_was_started_in_the_background_can_be_asked_to_end_too(capsys):
    """A shell has such commands ignore Ctrl-C, which is meant for others; that is not how they are ended."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(typer.Exit) as ended, speaking():
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGINT, before)

    assert ended.value.exit_code == Exit.INTERRUPTED
    assert "next run" in capsys.readouterr().err


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
