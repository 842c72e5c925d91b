"""What was told of swaps that this database knows nothing of: after a loss, numbers go on where they had come."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import OUTCOMES
from worker import closing
from worker.oddity import make_readable
from worker.settings import Settings
from worker.watching import Watcher

_SWAP = re.compile(rb'"version":\{"offset":\d+,"swap":(\d+)\}')
AT_ONCE = 5_000
POLL_MS = 500


async def highest_swap(settings: Settings, watcher: Watcher) -> int:
    """The highest number of a swap among the outcomes that are kept in Kafka; 0 if there is none."""
    make_readable()
    name = settings.topic_name(OUTCOMES)
    kafka = AIOKafkaConsumer(
        name,
        bootstrap_servers=settings.kafka,
        client_id="muster-replay",
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    try:
        await kafka.start()
        places = [TopicPartition(name, number) for number in kafka.partitions_for_topic(name) or ()]
        kafka.unsubscribe()
        kafka.assign(places)
        return await _highest(kafka, places, watcher)
    finally:
        await closing.stop(kafka)


async def _highest(kafka: AIOKafkaConsumer, places: Sequence[TopicPartition], watcher: Watcher) -> int:
    begins: Mapping[TopicPartition, int] = await kafka.beginning_offsets(places)
    ends: Mapping[TopicPartition, int] = await kafka.end_offsets(places)
    highest = 0
    with watcher.progress("Reading what was told", sum(ends.values()) - sum(begins.values())) as steps:
        left = {each for each in places if begins[each] < ends[each]}
        while left:
            fetched: Mapping[TopicPartition, Sequence[Any]] = await kafka.getmany(
                *left, timeout_ms=POLL_MS, max_records=AT_ONCE
            )
            for records in fetched.values():
                highest = max(highest, *(_swap(record.value) for record in records), 0)
                steps.advance(len(records))
            left = {each for each in left if await kafka.position(each) < ends[each]}
    return highest


def _swap(value: bytes | None) -> int:
    found = _SWAP.search(value or b"")
    return int(found[1]) if found else 0
