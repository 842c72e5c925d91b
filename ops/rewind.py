"""Moving a group back: where to, what it means, and doing it while nobody is in the group.

Of our services the positions are in Postgres. They only ever go back: what a service can't process it keeps as a dead
letter, so there is nothing to be skipped, and what it skipped would be lost. A subscriber's position is its own affair,
and is in Kafka.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiokafka import TopicPartition

from ops import groups
from ops.broker import Broker
from ops.ending import Misused, Refused
from ops.groups import ServiceGroup, Stored
from ops.times import milliseconds, parse_time
from worker import positions, topics
from worker.database import Database
from worker.settings import Settings

SUBSCRIBER_EFFECT = (
    "The subscriber reads these records again. Every event has its id, and outcomes and snapshots have versions: one "
    "that goes by them does nothing twice. One that does not, does."
)


@dataclass(frozen=True, slots=True)
class Earliest:
    """Where the log begins."""


@dataclass(frozen=True, slots=True)
class Latest:
    """Where the log ends now."""


@dataclass(frozen=True, slots=True)
class Since:
    """The first record that is not older."""

    time: datetime


@dataclass(frozen=True, slots=True)
class Offset:
    """One offset, of one partition only, since offsets of several have nothing to do with each other."""

    offset: int


Target = Earliest | Latest | Since | Offset


@dataclass(frozen=True, slots=True)
class Move:
    """A partition's old and new position."""

    topic: str
    partition: int
    now: int
    new: int
    is_first: bool = False
    """Whether the group has no position here yet, and would begin at `now`."""

    @property
    def again(self) -> int:
        """How many offsets are gone through again."""
        return max(0, self.now - self.new)

    @property
    def skipped(self) -> int:
        """How many offsets are never read."""
        return max(0, self.new - self.now)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a rewind would do."""

    group: str
    moves: Sequence[Move]
    effect: str
    counted: str = "records"
    number: int | None = None
    """How many of what is counted; None where it is not known beforehand."""

    @property
    def again(self) -> int:
        return sum(move.again for move in self.moves)

    @property
    def skipped(self) -> int:
        return sum(move.skipped for move in self.moves)

    @property
    def moving(self) -> list[Move]:
        return [move for move in self.moves if move.now != move.new or move.is_first]


def parse_target(text: str, now: datetime) -> Target:
    """Read what `--to` says. Raises `Misused`."""
    match text:
        case "earliest":
            return Earliest()
        case "latest":
            return Latest()
        case _ if text.isascii() and text.isdigit():
            return Offset(int(text))
    time = parse_time(text, now)
    if time is None:
        raise Misused(
            f"{text!r} is no place to go back to: say earliest, latest, a time (2026-11-25T09:00:00Z), "
            "how long ago (90s, 15m, 2h, 3d), or an offset."
        )
    return Since(time)


def never_forward(moves: Sequence[Move]) -> list[Move]:
    """The same for a service: a partition that would skip something stays where it is."""
    return [Move(each.topic, each.partition, each.now, min(each.now, each.new)) for each in moves]


def chosen(places: Sequence[TopicPartition], only: str | None) -> list[TopicPartition]:
    """The places that `--only TOPIC` or `--only TOPIC:PARTITION` names. Raises `Misused` if that is none."""
    if only is None:
        return list(places)
    topic, _, partition = only.partition(":")
    found = [each for each in places if each.topic == topic and partition in {"", str(each.partition)}]
    if not found:
        known = ", ".join(sorted({each.topic for each in places})) or "none"
        raise Misused(f"The group has no position in {only}. It has some in: {known}.")
    return found


async def targets(
    broker: Broker, places: Sequence[TopicPartition], target: Target
) -> Mapping[TopicPartition, int]:
    """Where each log is to be gone on from, inside of what it has. Raises `Misused` for an offset of several."""
    begins, ends = await broker.begins(places), await broker.ends(places)
    match target:
        case Earliest():
            return begins
        case Latest():
            return ends
        case Since(time):
            return await broker.at(places, milliseconds(time))
        case Offset(offset):
            if len(places) != 1:
                raise Misused("An offset is one partition's: name it with --only TOPIC:PARTITION.")
            [place] = places
            if not begins[place] <= offset <= ends[place]:
                raise Refused(
                    f"{place.topic}[{place.partition}] has the offsets {begins[place]} to {ends[place]}."
                )
            return {place: offset}


async def refuse_while_running(broker: Broker, group: str, name: str, session: str) -> None:
    """Raise `Refused` if anybody is in the group; `session` is how long Kafka waits for a member that is silent."""
    members = await broker.members(name)
    if members.number:
        raise Refused(
            f"The group {group} is running: {', '.join(members.clients)}. Stop every process of it, then run this "
            f"again; Kafka takes {session} to notice that one was killed."
        )


async def plan_for_service(
    settings: Settings,
    broker: Broker,
    database: Database,
    group: ServiceGroup,
    target: Target,
    only: str | None,
) -> Plan:
    """What a rewind of a service would do. Raises `Refused` where it could only skip."""
    known = {settings.topic_name(topic): topic.name for topic in group.topics}
    found = await groups.stored(database, group)
    if not found:
        raise Refused(f"The group {group.name} has no positions yet: it has never run on this database.")
    stands = {TopicPartition(name, each.partition): each for name, each in _named(known, found)}
    places = chosen(list(stands), _prefixed(settings, only))
    missing = {each.topic for each in places} - (await broker.partitions()).keys()
    if missing:
        raise Refused(topics.not_there(settings, missing))
    new = await targets(broker, places, target)
    now = {each: _stands_at(stands[each], group) for each in places}
    asked = [Move(known[each.topic], each.partition, now[each], new[each]) for each in places]
    moves = never_forward(asked)
    if not any(move.again for move in moves) and any(move.skipped for move in asked):
        raise Refused(
            f"That is ahead of where {group.name} is, and a service never skips forward: what it skipped would be "
            "lost. A record that it can't process becomes a dead letter by itself, and the rest goes on."
        )
    return Plan(group.name, moves, group.effect, group.counted, await _count_again(database, group, moves))


async def rewind_service(
    broker: Broker, database: Database, group: ServiceGroup, name: str, plan: Plan
) -> None:
    """Move a service's positions, while nobody is in the group. Raises `Refused` if somebody is or has been since.

    A process that starts meanwhile waits for the locked rows before it goes on, or else is in the group by now.
    """
    moves = plan.moving
    columns = [move.topic for move in moves], [move.partition for move in moves], [move.new for move in moves]
    async with database.transaction():
        locked = await database.fetch(positions.QUERIES.lock, group.name, *columns[:2])
        await refuse_while_running(broker, group.name, name, "MUSTER_SESSION_SECONDS")
        now = {(row["topic"], row["partition"]): _stands_at(Stored(**row), group) for row in locked}
        if now != {(move.topic, move.partition): move.now for move in moves}:
            raise Refused(
                "The group has gone on since this was looked at; nothing was changed. Run it again."
            )
        query = groups.QUERIES.read_again if group.reads_again else groups.QUERIES.publish_again
        await database.execute(query, group.name, *columns)


async def plan_for_subscriber(
    broker: Broker, group: str, topics: Sequence[str], target: Target, only: str | None
) -> Plan:
    """What moving a subscriber's group would do. Raises `Refused` for a group that nobody knows."""
    committed = await broker.committed(group)
    counts = await broker.partitions()
    for topic in topics:
        if topic not in counts:
            raise Misused(f"There is no topic {topic}.")
    named = [TopicPartition(topic, number) for topic in topics for number in range(counts[topic])]
    places = chosen(sorted({*committed, *named}), only)
    if not places:
        raise Refused(
            f"Kafka knows no positions of a group {group}. Is it spelt so? One that has never read anything is given a "
            "position with --topic TOPIC."
        )
    new, begins = await targets(broker, places, target), await broker.begins(places)
    moves = [
        Move(each.topic, each.partition, committed.get(each, begins[each]), new[each], each not in committed)
        for each in places
    ]
    plan = Plan(group, moves, SUBSCRIBER_EFFECT)
    return Plan(group, moves, SUBSCRIBER_EFFECT, number=plan.again)


async def rewind_subscriber(broker: Broker, plan: Plan) -> None:
    """Commit the new positions. Raises `Refused` if somebody is in the group."""
    await refuse_while_running(broker, plan.group, plan.group, "its session timeout")
    await broker.commit(
        plan.group, {TopicPartition(each.topic, each.partition): each.new for each in plan.moving}
    )


async def _count_again(database: Database, group: ServiceGroup, moves: Sequence[Move]) -> int:
    if not group.again:
        return sum(move.again for move in moves)
    found: int = await database.fetchval(
        groups.QUERIES[group.again],
        [move.topic for move in moves],
        [move.partition for move in moves],
        [move.new for move in moves],
        [move.now for move in moves],
    )
    return found


def _stands_at(position: Stored, group: ServiceGroup) -> int:
    return position.applied_to if group.reads_again else position.published_to


def _named(known: Mapping[str, str], found: Sequence[Stored]) -> list[tuple[str, Stored]]:
    """The positions with the names that their topics have in Kafka."""
    names = {topic: name for name, topic in known.items()}
    return [(names[each.topic], each) for each in found if each.topic in names]


def _prefixed(settings: Settings, only: str | None) -> str | None:
    return only and settings.topic_prefix + only
