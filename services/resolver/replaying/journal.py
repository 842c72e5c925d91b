"""The journal as a replay reads it: any part of any partition, by a consumer without a group."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import JOURNAL
from services.resolver.projection import journal_record
from worker import topics
from worker.batch import Batch
from worker.failures import WrongLog
from worker.oddity import make_readable
from worker.positions import Log, Place
from worker.reading import Raw, Reader
from worker.records import Incoming, Span
from worker.redrive import is_for
from worker.settings import Settings
from worker.tail import consuming

if TYPE_CHECKING:
    from services.resolver.domain.fold import JournalRecord

GROUP = "resolver"
PIECE = 2_000
"""Records that are handed on at once."""
POLL_MS = 500
SILENT_SECONDS = 60.0
"""Without a record for so long although there are more, the broker counts as gone."""
FETCH_BYTES = 4 * 1024 * 1024
FETCH_MS = 10
"""A fetch at the end of one partition would hold up the first one of the next."""


class Journal:
    """Reads one partition at a time."""

    def __init__(self, settings: Settings, kafka: AIOKafkaConsumer) -> None:
        self._kafka = kafka
        self._name = settings.topic_name(JOURNAL)
        self.partitions = range(settings.journal_partitions)
        self._reader_is: object = None
        self._reader = Reader(GROUP, {self._name: JOURNAL}, {self._name: settings.journal_partitions})

    async def logs(self) -> dict[Place, Log]:
        """What Kafka has of each partition."""
        places = [TopicPartition(self._name, number) for number in self.partitions]
        begins = await self._kafka.beginning_offsets(places)
        ends = await self._kafka.end_offsets(places)
        return {(JOURNAL.name, each.partition): Log(JOURNAL, begins[each], ends[each]) for each in places}

    async def offsets_at(self, milliseconds: int) -> dict[int, int | None]:
        """For each partition the first offset whose timestamp is not before that time, None where there is none."""
        asked = {TopicPartition(self._name, number): milliseconds for number in self.partitions}
        found: Mapping[TopicPartition, object] = await self._kafka.offsets_for_times(asked)
        return {each.partition: getattr(where, "offset", None) for each, where in found.items()}

    async def pieces(
        self, partition: int, since: int, until: int
    ) -> AsyncIterator[tuple[Sequence[Raw], int]]:
        """The records from `since` up to and not including `until`, with how far each piece reaches.

        What lies between the records are control records and aborted transactions. Raises `TimeoutError`.
        """
        place = TopicPartition(self._name, partition)
        mine = object()
        reached, heard = since, time.monotonic()
        while reached < until:
            if self._reader_is is not mine:  # another part was read meanwhile
                self._reader_is = mine
                self._kafka.assign([place])
                self._kafka.seek(place, reached)
            fetched = await self._kafka.getmany(place, timeout_ms=POLL_MS, max_records=PIECE)
            position = min(until, await self._kafka.position(place))
            if position > reached:
                records = [
                    each
                    for each in fetched.get(place, ())
                    if each.offset < until and is_for(GROUP, each.headers)
                ]
                reached, heard = position, time.monotonic()
                yield records, reached
            elif time.monotonic() - heard > SILENT_SECONDS:
                raise TimeoutError

    def record(self, raw: Raw) -> "JournalRecord":
        """What the fold is given."""
        return journal_record(self.incoming(raw))

    def incoming(self, raw: Raw) -> Incoming:
        """A record, read as far as it can be read."""
        return self._reader.incoming(raw)

    def batch(self, partition: int, since: int, until: int, records: Sequence[Raw]) -> Batch:
        """The same as the consumer loop gives it to a projection."""
        return Batch(
            [self._reader.incoming(each) for each in records], [Span(JOURNAL, partition, since, until)]
        )


@asynccontextmanager
async def reading(settings: Settings) -> AsyncIterator[Journal]:
    """Have the journal. Raises `WrongLog` where it is not there, or not in the partitions that the settings say."""
    make_readable()
    await _check_partitions(settings)
    fetching = {"max_partition_fetch_bytes": FETCH_BYTES, "fetch_max_wait_ms": FETCH_MS}
    async with consuming(settings, "replay", **fetching) as kafka:
        yield Journal(settings, kafka)


async def _check_partitions(settings: Settings) -> None:
    [found] = [each for each in await topics.look(settings) if each.topic is JOURNAL]
    if not found.exists:
        raise WrongLog(topics.not_there(settings, [found.name]))
    if found.partitions != settings.journal_partitions:
        raise WrongLog(
            f"{found.name} has {found.partitions} partitions and MUSTER_JOURNAL_PARTITIONS is "
            f"{settings.journal_partitions}. Set it as the topic is, or restore the topic."
        )
