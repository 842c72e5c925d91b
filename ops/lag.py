"""How far every group is behind: records, and how long the oldest of them has waited."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aiokafka import TopicPartition

from ops import groups
from ops.broker import Broker, Members
from ops.groups import SERVICE_GROUPS, ServiceGroup
from schemas.topics import TOPICS, Topic
from worker.positions import Log, first_offset
from worker.settings import Settings


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """One partition: the log's end, how far the group is, and how long the next record has waited, in seconds.

    `to_publish` counts what is applied and not known to be out.
    """

    topic: str
    partition: int
    end: int
    at: int
    seconds: float
    to_publish: int = 0

    @property
    def records(self) -> int:
        return max(0, self.end - self.at)


@dataclass(frozen=True, slots=True)
class GroupLag:
    """One group, and who is in it."""

    group: str
    service: bool
    members: int
    state: str
    partitions: Sequence[PartitionLag]

    @property
    def records(self) -> int:
        return sum(each.records for each in self.partitions)

    @property
    def seconds(self) -> float:
        return max((each.seconds for each in self.partitions), default=0.0)

    @property
    def to_publish(self) -> int:
        return sum(each.to_publish for each in self.partitions)


async def lag_of_all(settings: Settings, broker: Broker, wanted: Iterable[str] = ()) -> list[GroupLag]:
    """The lag of our services, and of every other group that has read our topics; of those wanted, if any are."""
    names = list(wanted)
    services = [group for name, group in SERVICE_GROUPS.items() if not names or name in names]
    found = [await _of_service(settings, broker, group) for group in services]
    ours = {settings.group_name(name) for name in SERVICE_GROUPS}
    others = names or [name for name in await broker.groups() if name not in ours]
    for name in others:
        if name not in SERVICE_GROUPS:
            found += await _of_subscriber(settings, broker, name)
    return found


async def _of_service(settings: Settings, broker: Broker, group: ServiceGroup) -> GroupLag:
    members = await broker.members(settings.group_name(group.name))
    async with groups.tables_of(settings, group) as database:
        stored = {each.place: each for each in await groups.stored(database, group)}
    counts = await broker.partitions()
    names = {settings.topic_name(topic): topic for topic in group.topics}
    places = [TopicPartition(name, each) for name in names for each in range(counts.get(name, 0))]
    begins = await broker.begins(places)
    known = {place: stored.get((names[place.topic].name, place.partition)) for place in places}
    at = {
        place: each.applied_to if each else _first(names[place.topic], begins[place])
        for place, each in known.items()
    }
    rest = {place: each.applied_to - each.published_to for place, each in known.items() if each}
    return await _lag(
        broker, group.name, members, at, rest, {name: topic.name for name, topic in names.items()}
    )


async def _of_subscriber(settings: Settings, broker: Broker, name: str) -> list[GroupLag]:
    """None for a group that has nothing to do with us."""
    ours = {settings.topic_name(topic): topic.name for topic in TOPICS}
    at = {place: offset for place, offset in (await broker.committed(name)).items() if place.topic in ours}
    if not at:
        return []
    return [await _lag(broker, name, await broker.members(name), at, {}, ours)]


async def _lag(
    broker: Broker,
    group: str,
    members: Members,
    at: Mapping[TopicPartition, int],
    rest: Mapping[TopicPartition, int],
    names: Mapping[str, str],
) -> GroupLag:
    ends = await broker.ends(at)
    waiting = await broker.first({place: offset for place, offset in at.items() if offset < ends[place]})
    now = time.time()
    partitions = [
        PartitionLag(
            topic=names[place.topic],
            partition=place.partition,
            end=ends[place],
            at=offset,
            seconds=max(0.0, now - waiting[place].timestamp / 1000) if place in waiting else 0.0,
            to_publish=rest.get(place, 0),
        )
        for place, offset in sorted(at.items())
    ]
    return GroupLag(group, group in SERVICE_GROUPS, members.number, members.state, partitions)


def _first(topic: Topic, begin: int) -> int:
    """Where a group begins that has no position yet."""
    return first_offset(Log(topic, begin, begin))
