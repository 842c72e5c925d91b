"""What is there when everything has come to rest: the topics as read back, and the tables."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from schemas.topics import DEAD_LETTERS, JOURNAL, OUTCOMES, PROGRESS, REQUESTS, TOPICS, Topic
from tests.support.chaos.world import World
from tests.support.logs import read_back
from tests.support.model.fold import Tables
from tests.support.model.records import Row
from tests.support.resolving.core import Told
from tests.support.resolving.loop import Loop
from worker.projection import Database

POSITIONS = {
    "importer": "importer.positions",
    "resolver": "resolver_g1.positions",
    "notifier": "notifier.positions",
}
CONSUMED: Mapping[str, Sequence[Topic]] = {
    "importer": (REQUESTS,),
    "resolver": (JOURNAL,),
    "notifier": (REQUESTS, OUTCOMES),
}
OPEN_REQUESTS = "SELECT count(*) FROM importer.requests WHERE status <> 'ended' OR asked_again > 0"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Records per topic in the order of the log; the resolver's tables in the model's shape."""

    records: Mapping[Topic, Sequence[ConsumerRecord]]
    tables: Tables
    decisions: Sequence[Row]
    told: Mapping[tuple[int, int], Told]
    progress: Sequence[Row]
    snapshots: Sequence[bytes]
    """What the notifier has stored to be published."""


async def gather(world: World) -> Evidence:
    """Read everything back."""
    wanted = (*TOPICS, *DEAD_LETTERS)
    records = dict(zip(wanted, await read_back(world.settings, *wanted), strict=True))
    async with world.database() as database:
        loop = Loop(database, ())
        return Evidence(
            records,
            await loop.tables(),
            await loop.decisions(),
            await loop.told(),
            [dict(row) for row in await database.fetch("SELECT * FROM notifier.progress")],
            [row["event"].encode() for row in await database.fetch("SELECT event FROM notifier.snapshots")],
        )


async def has_come_to_rest(world: World) -> bool:
    """Whether everybody has worked off and published everything, and stayed so while this looked twice."""
    before = await _ends(world)
    async with world.database() as database:
        if await database.fetchval(OPEN_REQUESTS):
            return False
        for service, topics in CONSUMED.items():
            if not await _is_at_the_end(database, service, topics, before):
                return False
    return before == await _ends(world)


async def _is_at_the_end(
    database: Database,
    service: str,
    topics: Sequence[Topic],
    ends: Mapping[tuple[str, int], int],
) -> bool:
    rows = await database.fetch(f"SELECT * FROM {POSITIONS[service]}")
    applied = {(row["topic"], row["partition"]): row["applied_to"] for row in rows}
    published = {(row["topic"], row["partition"]): row["published_to"] for row in rows}
    wanted = {place: end for place, end in ends.items() if place[0] in {topic.name for topic in topics}}
    return applied == published == wanted


async def _ends(world: World) -> dict[tuple[str, int], int]:
    settings = world.settings
    async with asyncio.timeout(10), AIOKafkaConsumer(bootstrap_servers=settings.kafka) as consumer:
        places = {
            TopicPartition(settings.topic_name(topic), number): (topic.name, number)
            for topic in (REQUESTS, JOURNAL, OUTCOMES, PROGRESS)
            for number in range(settings.partitions(topic))
        }
        found: dict[Any, int] = await consumer.end_offsets(list(places))
    return {places[place]: end for place, end in found.items()}
