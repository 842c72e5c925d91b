"""From what Kafka handed out to what a projection is given."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Protocol

import structlog
from aiokafka import TopicPartition

from schemas.codec import Event, Unreadable, decode
from schemas.topics import Topic
from worker import metrics
from worker.batch import Batch
from worker.failures import describe
from worker.records import Incoming, Span
from worker.redrive import is_for
from worker.routing import check_route

log = structlog.get_logger(__name__)

RECORDS_BETWEEN_BREATHS = 50
"""About a millisecond of decoding, after which whatever else waits for the event loop gets its turn."""


class Raw(Protocol):
    """A record as aiokafka gives it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class Reader:
    """Reads the records of some topics for a group; `partitions` is how many each topic has in Kafka."""

    def __init__(self, group: str, topics: Mapping[str, Topic], partitions: Mapping[str, int]) -> None:
        self._group = group
        self._topics = topics
        self._partitions = partitions

    async def read(
        self, fetched: Mapping[TopicPartition, Sequence[Raw]], since: Mapping[TopicPartition, int]
    ) -> Batch:
        """Read what was fetched when reading had come as far as `since`. A broken record is one broken record.

        Copies of dead letters that are meant for another group are passed by: a span covers them, no record stands for
        them.
        """
        records: list[Incoming] = []
        for count, raw in enumerate(chain.from_iterable(fetched.values())):
            if count % RECORDS_BETWEEN_BREATHS == RECORDS_BETWEEN_BREATHS - 1:
                await asyncio.sleep(0)
            if is_for(self._group, raw.headers):
                records.append(self.incoming(raw))
            else:
                metrics.PASSED_BY.labels(self._topics[raw.topic].name).inc()
        return Batch(
            records,
            [
                Span(self._topics[each.topic], each.partition, since[each], some[-1].offset + 1)
                for each, some in fetched.items()
            ],
        )

    def incoming(self, raw: Raw) -> Incoming:
        """One record, read as far as it can be read."""
        topic = self._topics[raw.topic]
        return Incoming(
            topic=topic,
            partition=raw.partition,
            offset=raw.offset,
            timestamp=raw.timestamp,
            key=raw.key,
            value=raw.value,
            headers=raw.headers,
            content=self._content(raw, topic),
        )

    def _content(self, raw: Raw, topic: Topic) -> Event | Unreadable:
        try:
            event = decode(raw.value, topic)
            check_route(event, raw.key, raw.partition, self._partitions[raw.topic])
        except Unreadable as why:
            return why.with_traceback(None)
        except Exception as error:
            log.exception("reader_broke", topic=topic.name, partition=raw.partition, offset=raw.offset)
            return Unreadable("not_schema", f"the reader broke: {describe(error)}")
        return event
