"""`muster lag`: how far every group is behind, once or live."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ops.addresses import settings_in_reach
from ops.broker import Broker, asking
from ops.ending import Exit, Misused
from ops.lag import GroupLag, PartitionLag, lag_of_all
from ops.times import parse_duration, shown_duration
from ops.voice import AsJson, Voice, speaking
from worker.settings import Settings

SHOWN_PARTITIONS = 30


def command(
    groups: Annotated[
        list[str] | None, typer.Argument(metavar="[GROUP]...", help="Of these groups only.")
    ] = None,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=0.2, help="With --watch: seconds between two looks.")] = 2.0,
    partitions: Annotated[
        bool, typer.Option("--partitions", help="Every partition, not only those that are behind.")
    ] = False,
    at_most: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="End with 1 if anything has waited longer: 60s, 5m."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show how far every group is behind: records, and how long the oldest of them has waited.

    Our services' positions come from Postgres, those of other groups that read our topics from Kafka. `to publish` is
    what is applied and not known to be out yet; it goes out by itself as soon as the service runs.

    For example:

        muster lag
        muster lag resolver --watch
        muster lag --at-most 5m || page-somebody
    """
    with speaking(as_json=as_json) as voice:
        limit = parse_duration(at_most) if at_most else None
        if at_most and limit is None:
            raise Misused(f"{at_most!r} is no duration: say 60s, 5m, 2h.")
        if watch and limit is not None:
            raise Misused("--at-most is for one look: leave --watch or --at-most out.")
        settings = settings_in_reach()
        if watch:
            with suppress(KeyboardInterrupt):  # that is how one ends looking
                asyncio.run(_watch(voice, settings, groups or [], every, partitions=partitions))
            return
        found = asyncio.run(_look(settings, groups or []))
        voice.answer(_document(found), _shown(found, {}, partitions=partitions))
        if limit is not None and any(each.seconds > limit.total_seconds() for each in found):
            raise typer.Exit(Exit.ATTENTION)


async def _look(settings: Settings, groups: Sequence[str]) -> list[GroupLag]:
    async with asking(settings) as broker:
        return await _lag(settings, broker, groups)


async def _lag(settings: Settings, broker: Broker, groups: Sequence[str]) -> list[GroupLag]:
    found = await lag_of_all(settings, broker, groups)
    unknown = set(groups) - {each.group for each in found}
    if unknown:
        raise Misused(f"No group {', '.join(sorted(unknown))} has read any topic of ours.")
    return found


async def _watch(
    voice: Voice, settings: Settings, groups: Sequence[str], every: float, *, partitions: bool
) -> None:
    before: tuple[float, Mapping[str, int]] | None = None
    with _screen(voice) as screen:
        async with asking(settings) as broker:
            while True:
                found = await _lag(settings, broker, groups)
                now, reached = time.monotonic(), {each.group: _reached(each) for each in found}
                shown = _shown(
                    found, _rates(before, now, reached), partitions=partitions, at=datetime.now(UTC)
                )
                before = now, reached
                if screen is None:
                    voice.answer(_document(found), shown, "")
                else:
                    screen.update(shown, refresh=True)
                await asyncio.sleep(every)


@contextmanager
def _screen(voice: Voice) -> Iterator[Live | None]:
    """A table that stays where it is, on a terminal; elsewhere one is told below the other."""
    if voice.as_json or not voice.console.is_terminal:
        yield None
        return
    with Live(console=voice.console, auto_refresh=False, transient=False) as live:
        yield live


def _reached(group: GroupLag) -> int:
    return sum(each.at for each in group.partitions)


def _rates(
    before: tuple[float, Mapping[str, int]] | None, now: float, reached: Mapping[str, int]
) -> dict[str, float]:
    """Records a second of each group since the last look."""
    if before is None:
        return {}
    then, had = before
    return {name: (reached[name] - had[name]) / (now - then) for name in reached if name in had}


def _shown(
    found: Sequence[GroupLag], rates: Mapping[str, float], *, partitions: bool, at: datetime | None = None
) -> RenderableType:
    parts: list[RenderableType] = [_groups(found, rates)]
    rows = [
        (each.group, one)
        for each in found
        for one in each.partitions
        if partitions or one.records or one.to_publish
    ]
    if rows:
        parts += ["", _partitions(rows[: None if partitions else SHOWN_PARTITIONS])]
    if not partitions and len(rows) > SHOWN_PARTITIONS:
        parts.append(f"... and {len(rows) - SHOWN_PARTITIONS} partitions more: --partitions shows all.")
    if at is not None:
        parts += ["", Text(f"{at:%H:%M:%S} UTC, Ctrl-C ends", style="dim")]
    return Group(*parts)


def _groups(found: Sequence[GroupLag], rates: Mapping[str, float]) -> Table:
    shown = Table(box=None, pad_edge=False)
    shown.add_column("group")
    for name in (
        "members",
        "behind",
        "waiting for",
        "to publish",
        *(("a second", "time left") if rates else ()),
    ):
        shown.add_column(name, justify="right", no_wrap=True)
    for each in found:
        rate = rates.get(each.group, 0.0)
        left = shown_duration(each.records / rate) if each.records and rate > 0 else "-"
        shown.add_row(
            each.group,
            str(each.members or "none"),
            f"{each.records:,}",
            shown_duration(each.seconds) if each.records else "-",
            f"{each.to_publish:,}" if each.service else "-",
            *((f"{rate:,.0f}", left) if rates else ()),
            style="red" if each.service and not each.members else "yellow" if each.records else "",
        )
    return shown


def _partitions(rows: Sequence[tuple[str, PartitionLag]]) -> Table:
    shown = Table(box=None, pad_edge=False)
    for name in ("group", "topic"):
        shown.add_column(name)
    for name in ("partition", "at", "end", "behind", "waiting for"):
        shown.add_column(name, justify="right", no_wrap=True)
    for group, each in rows:
        waiting = shown_duration(each.seconds) if each.records else "-"
        shown.add_row(
            group,
            each.topic,
            str(each.partition),
            f"{each.at:,}",
            f"{each.end:,}",
            f"{each.records:,}",
            waiting,
        )
    return shown


def _document(found: Sequence[GroupLag]) -> dict[str, Any]:
    return {
        "groups": [
            {
                "group": each.group,
                "service": each.service,
                "members": each.members,
                "state": each.state,
                "records": each.records,
                "seconds": round(each.seconds, 3),
                "to_publish": each.to_publish,
                "partitions": [
                    {
                        "topic": one.topic,
                        "partition": one.partition,
                        "at": one.at,
                        "end": one.end,
                        "records": one.records,
                        "seconds": round(one.seconds, 3),
                        "to_publish": one.to_publish,
                    }
                    for one in each.partitions
                ],
            }
            for each in found
        ]
    }
