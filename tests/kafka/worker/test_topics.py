"""Topics on a real broker."""

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from typer.testing import CliRunner

from ops.cli import command_line
from schemas.topics import JOURNAL, REQUESTS
from tests.support.eventually import eventually
from worker import topics
from worker.failures import Verdict, classify
from worker.settings import Settings
from worker.topics import ALL_TOPICS, TopicsMissing, UnsafeTopics


@pytest.fixture
def settings(kafka_address: str, topic_prefix: str) -> Settings:
    return Settings(
        kafka=kafka_address,
        topic_prefix=topic_prefix,
        journal_partitions=2,
        topic_partitions=1,
        dead_letter_partitions=1,
    )


async def test_missing_topics_are_made_and_then_left_alone(settings: Settings) -> None:
    """After `create` every topic is there without a fault, and a second time changes nothing."""
    assert [state.exists for state in await topics.look(settings)] == [False] * len(ALL_TOPICS)

    made = await topics.create(settings)

    assert [(state.partitions, state.faults, state.notes) for state in made] == [
        (settings.partitions(topic), [], []) for topic in ALL_TOPICS
    ]
    assert await topics.create(settings) == made


async def test_a_journal_with_another_number_of_partitions_is_refused(settings: Settings) -> None:
    """The number is chosen once; neither the topic nor the settings are bent to the other."""
    await topics.create(settings)
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    await admin.create_partitions({settings.topic_name(JOURNAL): NewPartitions(total_count=3)})
    await admin.close()
    await eventually(lambda: has_partitions(settings, 3))

    with pytest.raises(UnsafeTopics, match=r"muster\.journal: 3 partitions, and the settings say 2"):
        await topics.create(settings)


async def has_partitions(settings: Settings, number: int) -> bool:
    """Whether the broker that answers knows of them by now."""
    return number in [state.partitions for state in await topics.look(settings) if state.topic is JOURNAL]


async def test_a_topic_that_is_not_there_is_not_taken_for_an_empty_one(settings: Settings) -> None:
    """Whoever asks for partitions gets all of them, or an error that passes."""
    with pytest.raises(TopicsMissing, match=r"has no topic \S*muster\.journal") as raised:
        await topics.partitions(settings, JOURNAL, REQUESTS)
    assert classify(raised.value) is Verdict.PASSING

    await topics.create(settings)

    assert await topics.partitions(settings, JOURNAL, REQUESTS) == [
        TopicPartition(settings.topic_name(REQUESTS), 0),
        TopicPartition(settings.topic_name(JOURNAL), 0),
        TopicPartition(settings.topic_name(JOURNAL), 1),
    ]


async def test_a_topic_that_somebody_else_made_is_looked_at(settings: Settings) -> None:
    """Made with the broker's defaults it would take the senders' clocks for the broker's."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    await admin.create_topics([NewTopic(settings.topic_name(REQUESTS), 1, 1)])
    await admin.close()

    with pytest.raises(UnsafeTopics, match=r"message\.timestamp\.type is CreateTime"):
        await topics.create(settings)


def test_the_command_makes_topics_and_shows_them(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """`muster topics` ends with 1 as long as something is missing; `--create` mends that."""
    monkeypatch.setenv("MUSTER_KAFKA", settings.kafka)
    monkeypatch.setenv("MUSTER_TOPIC_PREFIX", settings.topic_prefix)
    monkeypatch.setenv("COLUMNS", "200")
    command = command_line("topics")

    missing = CliRunner().invoke(command, ["topics"])
    made = CliRunner().invoke(command, ["topics", "--create"])

    assert (missing.exit_code, made.exit_code) == (1, 0)
    assert missing.output.count("  missing") == len(ALL_TOPICS)
    assert made.output.count("ok") == len(ALL_TOPICS)
    assert "for ever" in made.output
