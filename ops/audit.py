"""The audit: a line in `ops.audit` before an operator's change and one after it, each in a transaction of its own.

The line before is committed before anything is changed, so a run that is killed has left one; a change that can't be
noted is not made. Meanwhile the run holds a lock, by which others tell whether it still goes on or was killed; the next
run of the same verb notes that. Every line goes to standard error too, as a line of the log, for whoever collects
those: that copy survives the loss of the database.
"""

import asyncio
import getpass
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from importlib.metadata import version
from typing import Any
from uuid import UUID, uuid4

import orjson
import structlog

from worker import queries
from worker.database import TROUBLE, Database, connect
from worker.failures import describe
from worker.settings import Settings

QUERIES = queries.load("ops", "audit.sql")
ROLE = "muster_operator"


@dataclass(slots=True)
class Run:
    """A run of a command that changes something. What is put into `result` is in the line that ends it."""

    id: UUID
    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the audit."""

    number: int
    run: UUID
    at: datetime
    what: str
    who: str
    login: str
    release: str
    verb: str
    arguments: Mapping[str, Any]
    result: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A run that began and has not said how it ended: it still goes on, or was killed."""

    run: UUID
    at: datetime
    who: str
    verb: str
    arguments: Mapping[str, Any]
    at_work: bool


@asynccontextmanager
async def audited(
    settings: Settings, verb: str, arguments: Mapping[str, Any], *, required: bool = True
) -> AsyncIterator[Run]:
    """Note that a change begins, and how it ended. `arguments` hold ids, places and numbers, no personal data.

    Where it is not `required`, as for what has to work before there is a database, a line of the log has to do.
    """
    run = Run(uuid4())
    note = partial(_note if required else _note_if_possible, settings, run, verb, arguments)
    async with _at_work(settings, run, verb, required=required):
        await note("begun")
        try:
            yield run
        except (KeyboardInterrupt, asyncio.CancelledError):
            await asyncio.shield(note("interrupted"))
            raise
        except Exception as error:
            run.result["error"] = describe(error)
            await note("failed")
            raise
        await note("done")


async def lines(settings: Settings, verb: str | None, limit: int) -> list[Line]:
    """The last lines, newest first."""
    rows = await _fetch(settings, QUERIES.lines, verb, limit)
    return [Line(**_with_json(row, "arguments", "result")) for row in rows]


async def unfinished(settings: Settings, verb: str | None = None) -> list[Unfinished]:
    """The runs that have not said how they ended."""
    rows = await _fetch(settings, QUERIES.unfinished, verb)
    return [Unfinished(**_with_json(row, "arguments")) for row in rows]


async def end_killed(settings: Settings, verb: str, *, required: bool = True) -> list[Unfinished]:
    """Note of the runs of a verb that were killed that they were; which these are.

    Where it is not `required`, as for what works without a database, the next time has to do.
    """
    try:
        async with operator_connection(settings) as database:
            return await _end_killed(database, verb)
    except TROUBLE:
        if required:
            raise
        return []


def operator() -> str:
    """Who is at work: what MUSTER_OPERATOR says, or the user of this machine."""
    return os.environ.get("MUSTER_OPERATOR") or f"{_user()}@{socket.gethostname()}"


@asynccontextmanager
async def operator_connection(settings: Settings) -> AsyncIterator[Database]:
    """A connection with the rights of an operator's own tables."""
    database = await connect(settings, "operator", role=ROLE, search_path="ops")
    try:
        yield database
    finally:
        await database.close(timeout=5)


@asynccontextmanager
async def _at_work(settings: Settings, run: Run, verb: str, *, required: bool) -> AsyncIterator[None]:
    """Let others see that a run goes on, and that those of the same verb do not that were killed."""
    async with AsyncExitStack() as open_while_at_work:
        try:
            database = await open_while_at_work.enter_async_context(operator_connection(settings))
            await database.execute(QUERIES.hold, run.id)
            await _end_killed(database, verb)
        except TROUBLE:
            if required:
                raise
        yield


async def _end_killed(database: Database, verb: str) -> list[Unfinished]:
    rows = await database.fetch(QUERIES.unfinished, verb)
    killed = [Unfinished(**_with_json(row, "arguments")) for row in rows if not row["at_work"]]
    if killed:
        await database.execute(QUERIES.end_killed, [each.run for each in killed])
    return killed


async def _note_if_possible(
    settings: Settings, run: Run, verb: str, arguments: Mapping[str, Any], what: str
) -> None:
    try:
        await _note(settings, run, verb, arguments, what)
    except TROUBLE:
        _log(run, verb, arguments, what)


async def _note(settings: Settings, run: Run, verb: str, arguments: Mapping[str, Any], what: str) -> None:
    result = orjson.dumps(run.result).decode() if what != "begun" else None
    asked = orjson.dumps(arguments).decode()
    async with operator_connection(settings) as database:
        await database.execute(QUERIES.add, run.id, what, operator(), version("muster"), verb, asked, result)
    _log(run, verb, arguments, what)


def _log(run: Run, verb: str, arguments: Mapping[str, Any], what: str) -> None:
    """Write the line to standard error: short for people, whole for machines."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\033[2maudit: {verb} {what}, by {operator()} (run {str(run.id)[:8]})\033[0m\n")
        return
    logger = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.BoundLogger,  # whatever else of the log a command leaves out
    )
    said = {"run": str(run.id), "what": what, "who": operator(), "verb": verb}
    logger.info("audit", service="operator", **said, arguments=arguments, result=run.result)


async def _fetch(settings: Settings, query: str, *arguments: object) -> Sequence[Any]:
    async with operator_connection(settings) as database:
        return await database.fetch(query, *arguments)


def _with_json(row: Any, *columns: str) -> dict[str, Any]:
    found = dict(row)
    for column in columns:
        found[column] = orjson.loads(found[column]) if found[column] is not None else None
    return found


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return str(os.getuid())
