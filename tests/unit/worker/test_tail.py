"""A consumer that has gone silent is found out."""

import asyncio

import pytest
from aiokafka import TopicPartition

from worker import tail
from worker.tail import Silence

PLACE = TopicPartition("muster.progress", 0)


class Consumer:
    """Kafka's side: where the log ends, and how far was read."""

    def __init__(self) -> None:
        self.end = self.read_to = 5

    def assignment(self) -> set[TopicPartition]:
        return {PLACE}

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, self.end)

    async def position(self, _: TopicPartition) -> int:
        return self.read_to


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> Silence:
    monkeypatch.setattr(tail, "LOOK_EVERY_SECONDS", 0)
    return Silence()


async def test_a_quiet_topic_is_no_silence(silence: Silence) -> None:
    """At the end of the log there is nothing to come."""
    consumer = Consumer()
    for _ in range(3):
        await silence.check(consumer)


async def test_records_that_do_not_come_are_a_silence(silence: Silence) -> None:
    """Twice behind at the same place is once too often; to be behind while coming nearer is not."""
    consumer = Consumer()
    consumer.end = 9
    await silence.check(consumer)
    consumer.read_to = 7
    await silence.check(consumer)
    with pytest.raises(TimeoutError):
        await silence.check(consumer)


async def test_kafka_is_not_asked_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two looks nothing is asked."""
    monkeypatch.setattr(tail, "LOOK_EVERY_SECONDS", 60)
    consumer = Consumer()
    consumer.end = 9
    silence = Silence()
    await asyncio.gather(*(silence.check(consumer) for _ in range(3)))
