"""Whether the resolver's tables are there, and what a replay or a verification has left."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from ops.doctor.finding import Finding, World
from ops.times import shown_duration
from ops.words import some
from services.notifier.rebuilding import rebuild
from services.resolver import emptied as lost
from services.resolver import generations
from services.resolver.domain.version import RULES_VERSION
from services.resolver.replaying import standing
from services.resolver.replaying.standing import Standing
from worker.database import connect

SOON = timedelta(minutes=1)
"""What a swap has left goes out by itself sooner than that."""


async def emptied(world: World) -> Sequence[Finding]:
    """Whether the resolver stands by, because its tables are empty and should not be."""
    database = await connect(world.settings, "doctor")
    try:
        if not await lost.are_emptied(world.settings, database, await generations.showing(database)):
            return []
    finally:
        await database.close()
    advice = (
        "Connect to the right database or restore a backup. Without any, `muster replay --swap` brings the tables back "
        "from the topics: see `The database is lost` in docs/operations.md."
    )
    return [
        Finding(
            "tables",
            "bad",
            "they are empty, and yet outcomes have been published: resolvers stand by",
            advice,
        )
    ]


async def replays(world: World) -> Sequence[Finding]:
    """What was begun and is half-way, and what a swap has not published."""
    found = await standing.peek(world.settings)
    database = await connect(world.settings, "doctor")
    try:
        at_work = await standing.is_at_work(database)
        untold = await rebuild.untold(database)
    finally:
        await database.close()
    said = [*_unpublished(found, untold), *([] if at_work else _half_way(found))]
    if said:
        return said
    return [
        Finding("replays", "ok", "one is at work" if at_work else "none is half-way, and all is published")
    ]


def _unpublished(found: Standing, untold: int) -> list[Finding]:
    findings = []
    waited = datetime.now(UTC) - found.last_swap.at if found.last_swap else timedelta()
    if found.to_publish:
        said = f"{some(found.to_publish, 'outcome')} of swap {found.live.generation.swap} not published yet"
        ago = f", after {shown_duration(waited.total_seconds())}"
        advice = "A resolver publishes them by itself, and so does the next `muster replay`: is one running?"
        findings.append(Finding("replays", "bad" if waited > SOON else "look", said + ago, advice))
    if untold:
        advice = "A notifier tells them by itself, and so does the next `muster replay`: is one running?"
        findings.append(
            Finding("replays", "look", f"{some(untold, 'mended row')} of progress not told yet", advice)
        )
    return findings


def _half_way(found: Standing) -> list[Finding]:
    findings = []
    for stand in found.unfinished:
        generation = stand.generation
        if stand.purpose == "look":
            said = f"generation {generation.number} was made to look at, and takes up room"
            advice = "`muster replay --discard --apply` drops it."
        else:
            said = (
                f"a {stand.purpose} under rules {generation.rules} stands at {stand.records:,} of "
                f"{found.live.records:,} records, not swapped in"
            )
            advice = (
                f"`muster {stand.purpose}` goes on with it, and `muster replay --discard --apply` drops it."
                if generation.rules == RULES_VERSION
                else "It is of another release's rules: `muster replay --discard --apply` drops it."
            )
        findings.append(Finding("replays", "look", said, advice))
    return findings
