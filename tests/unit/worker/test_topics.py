"""The table of topics against what Kafka has."""

import pytest

from schemas.topics import JOURNAL, REQUESTS
from worker.settings import Settings
from worker.topics import ALL_TOPICS, compare, wanted_config

SETTINGS = Settings(replication_factor=3, min_insync_replicas=2)
DAY = 24 * 3600 * 1000


def test_a_topic_as_we_make_it_has_no_fault() -> None:
    """What `create` makes, `check` accepts."""
    for topic in ALL_TOPICS:
        config = wanted_config(topic, SETTINGS)

        assert compare(topic, SETTINGS.partitions(topic), config, SETTINGS) == ([], [])


@pytest.mark.parametrize("topic", ALL_TOPICS, ids=lambda topic: topic.name)
def test_what_is_not_kept_for_ever_is_really_deleted(topic) -> None:
    """Kafka deletes whole segments, so they are much shorter than the retention."""
    config = wanted_config(topic, SETTINGS)

    if topic.retention is None:
        assert config["retention.ms"] == "-1"
    else:
        assert int(config["segment.ms"]) <= min(DAY, int(config["retention.ms"]) / 10)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cleanup.policy", "compact"),
        ("cleanup.policy", "compact,delete"),
        ("message.timestamp.type", "CreateTime"),
        ("retention.ms", str(DAY)),
        ("retention.bytes", "1000000"),
        ("max.message.bytes", "1048588"),
        ("min.insync.replicas", "1"),
    ],
)
def test_a_setting_that_loses_records_is_a_fault(key: str, value: str) -> None:
    """Each of these would lose records, or lie about when they came."""
    config = wanted_config(REQUESTS, SETTINGS) | {key: value}

    [fault], _ = compare(REQUESTS, SETTINGS.partitions(REQUESTS), config, SETTINGS)
    assert fault.startswith(f"{key} is {value}")


def test_another_number_of_partitions_is_a_fault_of_the_journal_only() -> None:
    """The journal's order depends on it; elsewhere it is worth a note."""
    journal, requests = wanted_config(JOURNAL, SETTINGS), wanted_config(REQUESTS, SETTINGS)

    assert compare(JOURNAL, 25, journal, SETTINGS) == (["25 partitions, and the settings say 24"], [])
    assert compare(REQUESTS, 25, requests, SETTINGS) == ([], ["25 partitions, and the settings say 12"])


def test_longer_than_meant_is_worth_a_note() -> None:
    """It loses nothing, and keeps personal data longer than said."""
    config = wanted_config(REQUESTS, SETTINGS) | {"retention.ms": "-1"}

    faults, [note] = compare(REQUESTS, SETTINGS.partitions(REQUESTS), config, SETTINGS)
    assert faults == []
    assert "longer" in note
