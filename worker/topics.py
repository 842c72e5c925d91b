"""The topics in Kafka against the table in `schemas.topics`: made when missing, refused when unsafe, never altered."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import NoError, TopicAlreadyExistsError, for_code

from schemas.topics import DEAD_LETTERS, JOURNAL, MAX_RECORD_BYTES, TOPICS, Topic
from worker import clients
from worker.failures import Stop
from worker.settings import Settings

ALL_TOPICS = (*TOPICS, *DEAD_LETTERS)

MAX_DEAD_LETTER_BYTES = 4 * MAX_RECORD_BYTES
"""A record that came compressed by a better codec than ours has to fit, with its added headers."""
SEGMENTS_PER_RETENTION = 12
LONGEST_SEGMENT = timedelta(days=1)
"""Kafka deletes whole segments only: what is kept for a week is gone after a week and a day at the latest."""
SECONDS_TO_APPEAR = 30.0


class UnsafeTopics(Stop):
    """A topic is there, but not as it must be. The message names the setting; we never alter a topic ourselves."""


class TopicsMissing(TimeoutError):
    """Kafka has no such topics, or does not describe them now. Waiting may help: somebody may be making them."""


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as it is, with so many `copies` of each partition on as many brokers.

    `faults` would lose or misplace records; `notes` are harmless differences, or pass by themselves.
    """

    topic: Topic
    name: str
    partitions: int | None
    retention_ms: int | None
    copies: int | None = None
    faults: Sequence[str] = ()
    notes: Sequence[str] = ()

    @property
    def exists(self) -> bool:
        return self.partitions is not None


def wanted_config(topic: Topic, settings: Settings) -> dict[str, str]:
    """The configuration with which a topic is made."""
    config = {
        "cleanup.policy": "delete",
        "retention.ms": str(_milliseconds(topic.retention)),
        "retention.bytes": "-1",
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(MAX_DEAD_LETTER_BYTES if topic.is_dead_letters else MAX_RECORD_BYTES),
        "min.insync.replicas": str(settings.min_insync_replicas),
    }
    if topic.retention is not None:
        segment = min(topic.retention / SEGMENTS_PER_RETENTION, LONGEST_SEGMENT)
        config["segment.ms"] = str(_milliseconds(segment))
    return config


def compare(
    topic: Topic, partitions: int, config: Mapping[str, str], settings: Settings
) -> tuple[list[str], list[str]]:
    """Faults and notes of a topic that is there."""
    wanted = wanted_config(topic, settings)
    faults = [
        f"{key} is {config.get(key)}, and has to be {wanted[key]}"
        for key in ("cleanup.policy", "message.timestamp.type")
        if config.get(key) != wanted[key]
    ]
    faults += [
        f"{key} is {config[key]}, and has to be at least {wanted[key]}"
        for key in ("max.message.bytes", "min.insync.replicas")
        if int(config[key]) < int(wanted[key])
    ]
    faults += [
        f"{key} is {config[key]}, and has to be {_at_least(wanted[key])}"
        for key in ("retention.ms", "retention.bytes")
        if _limit(config[key]) < _limit(wanted[key])
    ]
    notes = []
    if _limit(config["retention.ms"]) > _limit(wanted["retention.ms"]):
        notes.append(f"kept longer than the {topic.retention} it is meant to be")
    if partitions != settings.partitions(topic):
        different = f"{partitions} partitions, and the settings say {settings.partitions(topic)}"
        (faults if topic is JOURNAL else notes).append(different)
    return faults, notes


async def look(settings: Settings) -> list[TopicState]:
    """How the topics stand."""
    async with _admin(settings) as admin:
        found = await _described(admin)
        names = {settings.topic_name(topic): topic for topic in ALL_TOPICS}
        configs = await _configs(admin, [name for name in names if name in found])
    return [
        _state(topic, name, found[name], configs[name], settings)
        if name in found
        else TopicState(topic, name, None, None)
        for name, topic in names.items()
    ]


async def partitions(settings: Settings, *wanted: Topic) -> Sequence[TopicPartition]:
    """All partitions of these topics.

    Raises `TopicsMissing`: who took such a topic for one without partitions would take its records for nothing.
    """
    states = [each for each in await look(settings) if each.topic in wanted]
    check_existence(settings, states)
    return [TopicPartition(each.name, number) for each in states for number in range(each.partitions or 0)]


async def create(settings: Settings) -> list[TopicState]:
    """Make the topics that are missing. Raises `UnsafeTopics` for one that is there and not as it must be."""
    states = await create_missing(settings)
    check(states)
    return states


async def create_missing(settings: Settings) -> list[TopicState]:
    """Make the topics that are missing, whatever those are like that are there."""
    missing = [state for state in await look(settings) if not state.exists]
    if missing:
        async with _admin(settings) as admin:
            await _create(admin, missing, settings)
    return await _until_all_exist(settings)


def check(states: Sequence[TopicState]) -> None:
    """Raise `UnsafeTopics` if a topic has a fault."""
    faults = [f"{state.name}: {fault}" for state in states for fault in state.faults]
    if faults:
        raise UnsafeTopics(
            "These topics are not as they must be, and were left as they are. " + "; ".join(faults) + "."
        )


def check_existence(settings: Settings, states: Iterable[TopicState]) -> None:
    """Raise `TopicsMissing` if one is not there."""
    missing = [state.name for state in states if not state.exists]
    if missing:
        raise TopicsMissing(not_there(settings, missing))


def not_there(settings: Settings, names: Iterable[str]) -> str:
    """What to say where topics are missing."""
    return (
        f"Kafka at {settings.kafka} has no topic {', '.join(sorted(names))}. Is it the right one, and is "
        "MUSTER_TOPIC_PREFIX right? `muster topics` shows what is missing."
    )


async def cluster_id(settings: Settings) -> str:
    """The id of the Kafka cluster."""
    async with _admin(settings) as admin:
        return str((await admin.describe_cluster())["cluster_id"])


@asynccontextmanager
async def _admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka, client_id="muster-topics")
    try:
        await clients.start(admin)
        yield admin
    finally:
        await admin.close()


async def _until_all_exist(settings: Settings) -> list[TopicState]:
    async with asyncio.timeout(SECONDS_TO_APPEAR):
        while True:
            states = await look(settings)
            if all(state.exists for state in states):
                return states
            await asyncio.sleep(0.1)


async def _described(admin: AIOKafkaAdminClient) -> dict[str, Sequence[Mapping[str, Any]]]:
    """The partitions of every topic that there is."""
    described = await admin.describe_topics()
    return {each["topic"]: each["partitions"] for each in described if each["error_code"] == 0}


async def _configs(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    responses = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    )
    return {
        name: {entry[0]: entry[1] for entry in entries}
        for response in responses
        for _, _, _, name, entries in response.resources
    }


async def _create(admin: AIOKafkaAdminClient, missing: Sequence[TopicState], settings: Settings) -> None:
    response = await admin.create_topics(
        [
            NewTopic(
                state.name,
                settings.partitions(state.topic),
                settings.replication_factor,
                topic_configs=wanted_config(state.topic, settings),
            )
            for state in missing
        ]
    )
    for name, code, *message in response.topic_errors:
        error = for_code(code)
        if error not in (NoError, TopicAlreadyExistsError):
            raise UnsafeTopics(f"{name} could not be made: {error.__name__} {message[0] if message else ''}")


def _state(
    topic: Topic,
    name: str,
    partitions: Sequence[Mapping[str, Any]],
    config: Mapping[str, str],
    settings: Settings,
) -> TopicState:
    faults, notes = compare(topic, len(partitions), config, settings)
    copies = min(len(each["replicas"]) for each in partitions)
    if copies < settings.replication_factor:
        faults.append(f"{copies} copies, and MUSTER_REPLICATION_FACTOR is {settings.replication_factor}")
    leaderless = sorted(each["partition"] for each in partitions if each["leader"] < 0)
    if leaderless:
        notes.append(f"no broker leads partitions {leaderless}: their brokers are down")
    behind = sorted(each["partition"] for each in partitions if len(each["isr"]) < len(each["replicas"]))
    if behind:
        notes.append(f"copies of partitions {behind} are behind: a broker is down or slow")
    return TopicState(topic, name, len(partitions), int(config["retention.ms"]), copies, faults, notes)


def _milliseconds(duration: timedelta | None) -> int:
    return -1 if duration is None else int(duration.total_seconds() * 1000)


def _limit(value: str) -> float:
    return float("inf") if int(value) < 0 else int(value)


def _at_least(value: str) -> str:
    return "-1 (for ever)" if int(value) < 0 else f"at least {value}"
