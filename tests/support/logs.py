"""What lies in Kafka, read back from the first record to the last that is there now."""

from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from schemas.topics import Topic
from worker.settings import Settings

Records = list[ConsumerRecord]


async def read_back(settings: Settings, *wanted: Topic) -> list[Records]:
    """Everything on each of the topics, per partition in order."""
    async with AIOKafkaConsumer(
        bootstrap_servers=settings.kafka, auto_offset_reset="earliest", isolation_level="read_committed"
    ) as kafka:
        return [
            await _everything(kafka, settings.topic_name(topic), settings.partitions(topic))
            for topic in wanted
        ]


async def _everything(kafka: AIOKafkaConsumer, name: str, partitions: int) -> Records:
    places = [TopicPartition(name, number) for number in range(partitions)]
    kafka.assign(places)
    ends = await kafka.end_offsets(places)
    found: Records = []
    while await _unread(kafka, places, ends):
        for some in (await kafka.getmany(timeout_ms=200)).values():
            found += some
    return sorted(found, key=lambda record: (record.partition, record.offset))


async def _unread(
    kafka: AIOKafkaConsumer, places: Sequence[TopicPartition], ends: dict[TopicPartition, int]
) -> bool:
    return any([await kafka.position(place) < ends[place] for place in places])
