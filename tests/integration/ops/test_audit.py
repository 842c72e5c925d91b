"""The audit on a real Postgres."""

import asyncio
import json
import os
import sys
from dataclasses import replace

import asyncpg
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from ops import audit
from ops.cli import command_line
from tests.support.eventually import eventually
from worker import telemetry
from worker.settings import Settings


@pytest.fixture
def settings(database: str) -> Settings:
    return Settings(postgres_dsn=SecretStr(database))


async def test_a_change_has_a_line_before_it_and_one_after_it(settings, monkeypatch, capsys):
    """With who, when, what, with which arguments and to which end; and the same as lines of the log."""
    monkeypatch.setenv("MUSTER_OPERATOR", "ada@desk")
    telemetry.aside()  # as every command has it

    async with audit.audited(settings, "rewind", {"group": "importer"}) as run:
        run.result["records"] = 7

    ended, begun = await audit.lines(settings, None, 10)
    assert (begun.what, ended.what) == ("begun", "done")
    assert (begun.run, begun.who, begun.verb) == (ended.run, "ada@desk", "rewind")
    assert begun.arguments == ended.arguments == {"group": "importer"}
    assert (begun.result, ended.result) == (None, {"records": 7})
    logged = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"], line["what"], line["run"]) for line in logged] == [
        ("audit", "begun", str(run.id)),
        ("audit", "done", str(run.id)),
    ]


async def test_a_change_that_breaks_says_so(settings):
    """By the class of the exception; its message may quote what somebody typed."""
    with pytest.raises(ValueError, match="John"):
        async with audit.audited(settings, "rewind", {}):
            raise ValueError("John Smith")

    ended, _ = await audit.lines(settings, None, 10)
    assert (ended.what, ended.result) == ("failed", {"error": "ValueError"})


async def test_a_change_that_is_interrupted_says_so(settings):
    """Ctrl-C cancels the task; the line is written all the same."""

    async def change():
        async with audit.audited(settings, "rewind", {}):
            await asyncio.Event().wait()

    task = asyncio.create_task(change())
    await eventually(lambda: audit.lines(settings, None, 10))
    task.cancel()
    await asyncio.wait({task})

    assert [line.what for line in await audit.lines(settings, None, 10)] == ["interrupted", "begun"]
    assert await audit.unfinished(settings) == []


CHANGING = """
import asyncio
from ops import audit
from worker.settings import Settings

async def change():
    async with audit.audited(Settings(), "rewind", {"group": "importer"}):
        await asyncio.Event().wait()

asyncio.run(change())
"""


async def test_a_run_that_was_killed_is_told_from_one_at_work_and_noted_by_the_next(settings, database):
    """Its line is there before anything was changed; what it holds while it works goes with it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", CHANGING),
        env={**os.environ, "MUSTER_POSTGRES_DSN": database},
        stderr=asyncio.subprocess.DEVNULL,
    )
    [at_work] = await eventually(lambda: audit.unfinished(settings), timeout=20)
    assert (at_work.verb, at_work.arguments, at_work.at_work) == ("rewind", {"group": "importer"}, True)
    assert await audit.end_killed(settings, "rewind") == []

    process.kill()
    await process.wait()
    killed = await eventually(lambda: is_over(settings))
    assert await audit.unfinished(settings, "topics") == []
    async with audit.audited(settings, "rewind", {}):
        assert [each.at_work for each in await audit.unfinished(settings)] == [True]  # its own

    assert killed == replace(at_work, at_work=False)
    assert await audit.unfinished(settings) == []
    [ended] = [line for line in await audit.lines(settings, None, 10) if line.what == "interrupted"]
    assert (ended.run, ended.who, ended.result) == (at_work.run, at_work.who, {"killed": True})


async def is_over(settings):
    [found] = await audit.unfinished(settings)
    return None if found.at_work else found


@pytest.mark.parametrize(
    "statement", ["UPDATE ops.audit SET who = 'nobody'", "DELETE FROM ops.audit", "TRUNCATE ops.audit"]
)
async def test_a_line_is_there_for_ever(settings, database, statement):
    """Not even the owner of the table changes it by mistake; an operator may not at all."""
    async with audit.audited(settings, "rewind", {}):
        pass
    owner = await asyncpg.connect(database)
    with pytest.raises(asyncpg.RaiseError, match="only ever added to"):
        await owner.execute(statement)
    await owner.execute("SET ROLE muster_operator")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await owner.execute(statement)
    await owner.close()


async def test_where_there_is_no_database_yet_a_line_of_the_log_has_to_do(capsys):
    """Topics can be made before there are tables, and that is said all the same."""
    nowhere = Settings(postgres_dsn=SecretStr("postgresql://127.0.0.1:1/nothing"))

    async with audit.audited(nowhere, "topics", {}, required=False):
        pass

    assert [json.loads(line)["what"] for line in capsys.readouterr().err.splitlines()] == ["begun", "done"]
    with pytest.raises(OSError):
        async with audit.audited(nowhere, "rewind", {}):
            raise AssertionError("nothing may be changed that can't be noted")


def test_the_verb_shows_the_lines(settings, monkeypatch):
    """Newest first, for people and for programs; and says so where there are none."""
    monkeypatch.setenv("MUSTER_POSTGRES_DSN", settings.postgres_dsn.get_secret_value())
    command = command_line("audit")
    empty = CliRunner().invoke(command, ["audit"])

    async def change() -> None:
        async with audit.audited(settings, "dead-letters redrive", {"why": "failed"}):
            pass

    asyncio.run(change())
    shown = CliRunner().invoke(command, ["audit", "--verb", "dead-letters"])
    document = json.loads(CliRunner().invoke(command, ["audit", "--json"]).stdout)
    other = CliRunner().invoke(command, ["audit", "--verb", "rewind"])

    assert "Nothing was changed" in empty.stdout
    assert "Nothing was changed" in other.stdout
    assert "why=failed" in shown.stdout
    assert [line["what"] for line in document["lines"]] == ["done", "begun"]
