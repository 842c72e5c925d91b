"""What topics remember of a database that was lost: under which numbers was told, and which letters were kept."""

import re
from typing import TYPE_CHECKING

from schemas.topics import JOURNAL, OUTCOMES, Topic
from worker import topics
from worker.deadletters import PREFIX
from worker.oddity import make_readable
from worker.settings import Settings
from worker.tail import consuming
from worker.watching import Watcher

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from aiokafka import TopicPartition

    from worker.reading import Raw

_SWAP = re.compile(rb'"version":\{"offset":\d+,"swap":(\d+)\}')
LETTER_ID = f"{PREFIX}id"
AT_ONCE = 5_000
POLL_MS = 500


async def highest_swap(settings: Settings, watcher: Watcher) -> int:
    """The highest number of a swap among the outcomes that are kept in Kafka; 0 if there is none."""
    highest = 0
    async for records in _everything(settings, OUTCOMES, watcher, "Reading what was told"):
        highest = max(highest, *(_swap(record.value) for record in records))
    return highest


async def letters(settings: Settings, watcher: Watcher) -> set[str]:
    """The ids of the journal's dead letters."""
    assert JOURNAL.dead_letters is not None
    found: set[str] = set()
    async for records in _everything(settings, JOURNAL.dead_letters, watcher, "Reading dead letters"):
        for record in records:
            found |= {(value or b"").decode() for name, value in record.headers if name == LETTER_ID}
    return found


async def _everything(
    settings: Settings, topic: Topic, watcher: Watcher, doing: str
) -> "AsyncIterator[Sequence[Raw]]":
    """All that a topic has now, in portions that are not empty."""
    make_readable()
    async with consuming(settings, "replay", fetch_max_wait_ms=POLL_MS) as kafka:
        places = await topics.partitions(settings, topic)
        begins: Mapping[TopicPartition, int] = await kafka.beginning_offsets(places)
        ends: Mapping[TopicPartition, int] = await kafka.end_offsets(places)
        left = {each for each in places if begins[each] < ends[each]}
        kafka.assign(list(left))
        for each in left:
            kafka.seek(each, begins[each])
        with watcher.progress(doing, sum(ends.values()) - sum(begins.values())) as steps:
            while left:
                fetched = await kafka.getmany(*left, timeout_ms=POLL_MS, max_records=AT_ONCE)
                for records in fetched.values():
                    yield records
                    steps.advance(len(records))
                left = {each for each in left if await kafka.position(each) < ends[each]}


def _swap(value: bytes | None) -> int:
    found = _SWAP.search(value or b"")
    return int(found[1]) if found else 0
