"""`muster doctor`: everything that would be checked first, at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from rich.table import Table
from rich.text import Text

from ops.addresses import settings_in_reach
from ops.broker import Broker, asking
from ops.doctor import servers, tables, work
from ops.doctor.finding import Check, Finding, World
from ops.ending import Exit, Misused
from ops.explaining import explanation
from ops.times import parse_duration
from ops.voice import AsJson, speaking
from worker.database import TROUBLE, connect
from worker.settings import Settings

KAFKA_SECONDS = 10.0
CHECK_SECONDS = 60.0
MARKS = {"ok": ("ok", "green"), "look": ("look", "yellow"), "bad": ("BAD", "bold red")}

CHECKS: Sequence[tuple[str, Check, bool, bool]] = (
    ("servers", servers.servers, False, False),
    ("topics", servers.all_topics, True, False),
    ("migrations", servers.schema, False, True),
    ("tables", tables.emptied, True, True),
    ("replays", tables.replays, False, True),
    ("services", work.services, True, True),
    ("positions", work.positions, True, True),
    ("dead letters", work.dead_letters, True, True),
    ("imports", work.imports, False, True),
    ("operators", work.unfinished, False, True),
    ("clocks", servers.clocks, False, True),
)
"""Name, check, and whether it needs Kafka and Postgres."""


def command(
    late: Annotated[
        str,
        typer.Option(metavar="DURATION", help="A group is late when its oldest record has waited longer."),
    ] = "1m",
    as_json: AsJson = False,
) -> None:
    """Check everything that an operator would check first, and say what to do.

    Kafka and Postgres, topics, migrations and rules, whether the tables were lost, what a replay has left half-way,
    whether each service is at work and how far behind, positions, dead letters, connections, tokens and imports in
    trouble, commands that were killed, clocks. Nothing is changed. The exit code is 1 if anything needs attention.

    For example:

        muster doctor
        muster doctor --late 5m --json
    """
    with speaking(as_json=as_json) as voice:
        seconds = parse_duration(late)
        if seconds is None:
            raise Misused(f"{late!r} is no duration: say 60s, 5m, 2h.")
        found = asyncio.run(examine(settings_in_reach(), seconds.total_seconds()))
        well = all(each.level == "ok" for each in found)
        voice.answer({"well": well, "findings": found}, _table(found), *_advice(found))
        if not well:
            raise typer.Exit(Exit.ATTENTION)


async def examine(settings: Settings, late_seconds: float) -> list[Finding]:
    """Run every check that can be run; one that breaks is a finding too."""
    async with _broker(settings) as broker:
        world = World(settings, broker, await _why_no_database(settings), late_seconds)
        return [one for each in CHECKS for one in await _run(world, *each)]


async def _run(
    world: World, name: str, check: Check, needs_kafka: bool, needs_postgres: bool
) -> Sequence[Finding]:
    lacking = [
        part
        for part, lacks in (
            ("Kafka", needs_kafka and world.broker is None),
            ("Postgres", needs_postgres and world.no_database is not None),
        )
        if lacks
    ]
    if lacking:
        return [Finding(name, "look", f"can't be checked without {' and '.join(lacking)}")]
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check(world)
    except Exception as error:  # noqa: BLE001 - what breaks is named, and the other checks go on
        _, sentence = explanation(error)
        return [Finding(name, "bad", f"can't be checked ({type(error).__name__})", sentence)]


@asynccontextmanager
async def _broker(settings: Settings) -> AsyncIterator[Broker | None]:
    """A connection to Kafka, or None if it does not answer in time."""
    opening = asking(settings)
    try:
        async with asyncio.timeout(KAFKA_SECONDS):
            broker = await opening.__aenter__()
    except (KafkaError, OSError, TimeoutError):
        yield None
        return
    try:
        yield broker
    finally:
        await opening.__aexit__(None, None, None)


async def _why_no_database(settings: Settings) -> Exception | None:
    try:
        database = await connect(settings, "doctor")
    except TROUBLE as error:
        return error
    await database.close()
    return None


def _table(found: Sequence[Finding]) -> Table:
    shown = Table(box=None, pad_edge=False, show_header=False)
    shown.add_column(no_wrap=True)
    shown.add_column(no_wrap=True)
    shown.add_column(overflow="fold")
    for each in found:
        mark, style = MARKS[each.level]
        shown.add_row(Text(mark, style=style), each.check, Text(each.said))
    return shown


def _advice(found: Sequence[Finding]) -> list[Text | Table | str]:
    todo = [each for each in found if each.advice]
    if not todo:
        return ["", "All is well."]
    shown = Table(box=None, pad_edge=False, show_header=False)
    shown.add_column(no_wrap=True)
    shown.add_column(overflow="fold")
    for each in todo:
        shown.add_row(each.check, Text(each.advice))
    return ["", Text("What to do", style="bold"), shown]
