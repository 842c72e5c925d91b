"""`muster rewind`: have a group read, or publish, again from an earlier place."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from ops import rewind
from ops.addresses import settings_in_reach
from ops.audit import audited, end_killed
from ops.broker import Broker, asking
from ops.ending import Misused
from ops.groups import SERVICE_GROUPS, tables_of
from ops.rewind import Plan, Target
from ops.voice import Apply, AsJson, Voice, speaking
from ops.words import some
from worker.settings import Settings

VERB = "rewind"
SHOWN_PARTITIONS = 30


def command(
    group: Annotated[str, typer.Argument(help="importer, resolver, notifier, or a subscriber's own group.")],
    to: Annotated[
        str,
        typer.Option(
            help="earliest, latest, a time (2026-11-25T09:00:00Z, UTC unless it says otherwise), how long ago "
            "(90s, 15m, 2h, 3d), or an offset."
        ),
    ],
    *,
    only: Annotated[
        str | None, typer.Option(metavar="TOPIC[:PARTITION]", help="Of this topic or partition only.")
    ] = None,
    topic: Annotated[
        list[str] | None,
        typer.Option(help="Give a subscriber's group that has none yet a position in this topic too."),
    ] = None,
    apply: Apply = False,
    as_json: AsJson = False,
) -> None:
    """Move a group back, in all of its topics at once: to a time, to so long ago, to an offset, to the beginning.

    Shows the old and the new position of every partition, how much is gone through again, and what that will do. A
    service takes nothing into effect twice: the resolver publishes its recorded outcomes again, the notifier its
    snapshots, and the importer answers its requests again from what it has stored. A service never skips forward.

    Refused while anybody is in the group: stop its processes first, and start them afterwards.

    For example:

        muster rewind resolver --to 2h
        muster rewind resolver --to 2026-11-25T09:00:00Z --apply
        muster rewind notifier --to earliest --only muster.outcomes
        muster rewind importer --to 1200 --only muster.requests:3
        muster rewind portal-mailer --to 1d --apply
    """
    with speaking(as_json=as_json) as voice:
        target = rewind.parse_target(to, datetime.now(UTC))
        asyncio.run(_rewind(voice, settings_in_reach(), group, target, only, topic or [], apply=apply))


async def _rewind(
    voice: Voice,
    settings: Settings,
    group: str,
    target: Target,
    only: str | None,
    topics: list[str],
    *,
    apply: bool,
) -> None:
    await end_killed(settings, VERB)
    async with asking(settings) as broker:
        if group in SERVICE_GROUPS:
            if topics:
                raise Misused("--topic is for a subscriber's own group; --only names a topic of a service's.")
            await _service(voice, settings, broker, group, target, only, apply=apply)
        else:
            await _subscriber(voice, settings, broker, group, target, only, topics, apply=apply)


async def _service(
    voice: Voice,
    settings: Settings,
    broker: Broker,
    name: str,
    target: Target,
    only: str | None,
    *,
    apply: bool,
) -> None:
    group, in_kafka = SERVICE_GROUPS[name], settings.group_name(name)
    async with tables_of(settings, group) as database:
        plan = await rewind.plan_for_service(settings, broker, database, group, target, only)
        if apply and plan.moving:
            async with audited(settings, VERB, _arguments(plan)):
                await rewind.rewind_service(broker, database, group, in_kafka, plan)
    await _tell(voice, broker, plan, in_kafka, applied=apply)


async def _subscriber(
    voice: Voice,
    settings: Settings,
    broker: Broker,
    group: str,
    target: Target,
    only: str | None,
    topics: list[str],
    *,
    apply: bool,
) -> None:
    plan = await rewind.plan_for_subscriber(broker, group, topics, target, only)
    if apply and plan.moving:
        async with audited(settings, VERB, _arguments(plan)):
            await rewind.rewind_subscriber(broker, plan)
    await _tell(voice, broker, plan, group, applied=apply)


def _arguments(plan: Plan) -> dict[str, Any]:
    moves = {
        f"{move.topic}:{move.partition}": [None if move.is_first else move.now, move.new]
        for move in plan.moving
    }
    return {"group": plan.group, "moves": moves}


async def _tell(voice: Voice, broker: Broker, plan: Plan, in_kafka: str, *, applied: bool) -> None:
    members = await broker.members(in_kafka)
    document = {
        "group": plan.group,
        "applied": applied and bool(plan.moving),
        "running": members.number,
        "moves": [
            {
                "topic": each.topic,
                "partition": each.partition,
                "now": each.now,
                "new": each.new,
                "again": each.again,
            }
            for each in plan.moves
        ],
        "again": {"offsets": plan.again, plan.counted: plan.number},
        "skipped": plan.skipped,
        "effect": plan.effect,
    }
    if not plan.moving:
        voice.answer(document, f"Nothing to do: {plan.group} is there already.")
        return
    voice.answer(document, _table(plan), *_sentences(plan, members.number, applied=applied))


def _table(plan: Plan) -> Table:
    shown = Table("topic", "partition", "now at", "then at", "again", box=None, pad_edge=False)
    for column in shown.columns[1:]:
        column.justify = "right"
    for move in plan.moving[:SHOWN_PARTITIONS]:
        change = f"skips {move.skipped:,}" if move.skipped else f"{move.again:,}"
        now = "-" if move.is_first else f"{move.now:,}"
        shown.add_row(move.topic, str(move.partition), now, f"{move.new:,}", change)
    return shown


def _sentences(plan: Plan, running: int, *, applied: bool) -> list[str]:
    said = [""]
    if len(plan.moving) > SHOWN_PARTITIONS:
        said.append(f"... and {some(len(plan.moving) - SHOWN_PARTITIONS, 'partition')} more.")
    if plan.again:
        number = f": {some(plan.number, plan.counted.removesuffix('s'))}" if plan.number is not None else ""
        said.append(f"{some(plan.again, 'offset')} again{number}. {plan.effect}")
    if plan.skipped:
        said.append(f"{some(plan.skipped, 'record')} will never be read by {plan.group}.")
    if applied:
        said.append(f"Done. Start {plan.group} again.")
    elif running:
        processes = some(running, "process", "processes")
        said.append(f"Nothing was changed. {plan.group} is running ({processes}): stop it, then add --apply.")
    else:
        said.append("Nothing was changed. Add --apply to do it.")
    return said
