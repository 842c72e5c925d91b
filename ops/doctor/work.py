"""Whether the services are at work, and what has been left undone."""

from collections import Counter
from collections.abc import Sequence

from aiokafka import TopicPartition
from asyncpg import Record

from ops import audit, groups
from ops.audit import operator_connection
from ops.deadletters import standing
from ops.deadletters.choice import Choice
from ops.deadletters.scanning import scan
from ops.doctor.finding import Finding, Level, World
from ops.doctor.servers import QUERIES
from ops.groups import SERVICE_GROUPS, ServiceGroup, Stored
from ops.lag import GroupLag, lag_of_all
from ops.times import shown_duration, shown_time
from ops.voice import Steps
from ops.words import some
from worker.database import connect
from worker.failures import WrongLog
from worker.positions import Log, Position, check_range


async def services(world: World) -> Sequence[Finding]:
    """Who is in each group, and how far it is behind."""
    assert world.broker is not None
    found = await lag_of_all(world.settings, world.broker, SERVICE_GROUPS)
    return [_service(each, world.late_seconds) for each in found]


async def positions(world: World) -> Sequence[Finding]:
    """Whether the stored positions belong to this cluster, and lie inside of the logs."""
    found = [one for group in SERVICE_GROUPS.values() for one in await _positions(world, group)]
    if found:
        return found
    return [Finding("positions", "ok", "of this cluster, and inside of the logs")]


async def dead_letters(world: World) -> Sequence[Finding]:
    """What is open, by reason, and what a redrive that was killed has left in doubt."""
    assert world.broker is not None
    async with operator_connection(world.settings) as database:
        known, doubtful = await standing.standings(database), await standing.in_doubt(database)
    counts: Counter[str] = Counter()
    async for letters in scan(world.settings, world.broker, Choice(), known, Steps()):
        counts.update(each.why for each in letters)
    found = []
    if counts:
        told = ", ".join(f"{number:,} {why}" for why, number in counts.most_common())
        advice = "`muster dead-letters list`, then `show` one: it says what can be done."
        level: Level = "bad" if counts["misrouted"] or counts["failed"] else "look"
        found.append(Finding("dead letters", level, f"{counts.total():,} open: {told}", advice))
    if doubtful:
        advice = "The next `muster dead-letters redrive ... --apply` finds out what is out, and says so."
        found.append(
            Finding("dead letters", "look", f"{len(doubtful):,} in doubt: a redrive was killed", advice)
        )
    return found or [Finding("dead letters", "ok", "none is open")]


async def imports(world: World) -> Sequence[Finding]:
    """Whether practices are connected, and whether XPM answers."""
    database = await connect(world.settings, "doctor", role="muster_importer")
    try:
        row = await database.fetchrow(QUERIES.imports)
        connections = await database.fetchrow(QUERIES.connections)
    finally:
        await database.close()
    assert row is not None
    assert connections is not None
    return [_connected(**connections), _xpm(row)]


async def unfinished(world: World) -> Sequence[Finding]:
    """Commands that began to change something and were killed before they had said how it ended."""
    runs = await audit.unfinished(world.settings)
    killed = [each for each in runs if not each.at_work]
    if not killed:
        said = f"{some(len(runs), 'change')} at work" if runs else "every change that was begun has ended"
        return [Finding("operators", "ok", said)]
    told = ", ".join(f"{each.verb} of {shown_time(each.at)} by {each.who}" for each in killed[:3])
    advice = (
        "Run the same verb again: it says where things stand. `muster audit` shows with what it was called."
    )
    return [
        Finding(
            "operators", "look", f"{some(len(killed), 'change was', 'changes were')} killed: {told}", advice
        )
    ]


def _service(group: GroupLag, late_seconds: float) -> Finding:
    behind = f"{some(group.records, 'record')} behind, the oldest for {shown_duration(group.seconds)}"
    unpublished = f"; what {some(group.to_publish, 'record')} came to is not known to be out"
    rest = unpublished if group.to_publish else ""
    if not group.members:
        said = "nobody is in the group" + (f", {behind}" if group.records else "") + rest
        advice = (
            f"Start {group.group}. If its process is up, its log says why it is not in: it waits for something, or "
            "stands by for other rules."
        )
        return Finding(group.group, "bad", said, advice)
    if group.seconds > late_seconds:
        advice = (
            "Watch it: `muster lag --watch`. If it does not go down, look into its log for `trying_again`, "
            "`record_failed` or `stuck`, and at /health/live."
        )
        return Finding(group.group, "bad", f"{group.members} at work, {behind}{rest}", advice)
    said = f"{group.members} at work, " + (behind if group.records else "nothing waits")
    return Finding(group.group, "ok", said)


async def _positions(world: World, group: ServiceGroup) -> list[Finding]:
    assert world.broker is not None
    async with groups.tables_of(world.settings, group) as database:
        stored = await groups.stored(database, group)
    topics = {topic.name: topic for topic in group.topics}
    names = {
        each: TopicPartition(world.settings.topic_name(topics[each.topic]), each.partition) for each in stored
    }
    cluster = await world.broker.cluster_id()
    foreign = [
        each for each in stored if (each.cluster_id, each.epoch) != (cluster, world.settings.topic_epoch)
    ]
    if foreign:
        said = f"the positions of {group.name} belong to cluster {foreign[0].cluster_id}, epoch {foreign[0].epoch}"
        return [
            Finding("positions", "bad", said, "Connect to the right cluster, or to the database of this one.")
        ]
    begins = await world.broker.begins(names.values())
    ends = await world.broker.ends(names.values())
    return [
        Finding("positions", "bad", wrong, "See `WrongLog` in docs/operations.md.")
        for each in stored
        if (wrong := _out_of_range(each, Log(topics[each.topic], begins[names[each]], ends[names[each]])))
    ]


def _out_of_range(stored: Stored, log: Log) -> str:
    position = Position(stored.cluster_id, stored.epoch, stored.applied_to, stored.published_to)
    try:
        check_range(stored.place, position, log)
    except WrongLog as wrong:
        return str(wrong)
    return ""


def _connected(connections: int, lost: int, untold: int, unused: int) -> Finding:
    if lost:
        advice = "Somebody of their staff has to connect again, in the portal. Until then their imports fail."
        said = f"{some(connections, 'practice')}; {lost:,} more, whose consent Xero no longer accepts"
        return Finding("connections", "look", said, advice)
    if not connections:
        advice = "Every import fails as `not_connected` until one is."
        return Finding("connections", "look", "no practice is connected to XPM", advice)
    if unused:
        advice = (
            "One search or import in the portal renews it; otherwise the practice will have to connect again."
        )
        said = f"{some(connections, 'practice')}; {unused:,} not used for 45 days, and Xero ends a consent after 60"
        return Finding("connections", "look", said, advice)
    if untold:
        advice = "The importer tells the journal as soon as it runs and Kafka answers."
        return Finding(
            "connections",
            "look",
            f"{some(connections, 'practice')}; {some(untold, 'change')} not told yet",
            advice,
        )
    return Finding("connections", "ok", some(connections, "practice"))


def _xpm(row: Record) -> Finding:
    queued = f"{some(row['queued'], 'import')} in the queue, {row['behind']:,} behind another of their client"
    if row["in_trouble"]:
        since = shown_time(row["trouble_since"])
        advice = (
            "Imports go on by themselves, for as long as MUSTER_IMPORT_RETRY_SECONDS allows. The importer's log has "
            "XPM's correlation ids under `xpm_did_not_answer`."
        )
        return Finding(
            "xpm", "look", f"{some(row['in_trouble'], 'import')} in trouble, since {since}; {queued}", advice
        )
    waiting = f"; {row['waiting']:,} wait for their practice's quota" if row["waiting"] else ""
    return Finding("xpm", "ok", f"no import has trouble; {queued}{waiting}")
