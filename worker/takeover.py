"""Taking partitions over: from whoever had them before, from this process before a crash, or from nobody.

Their positions are locked and compared with the log, what was committed and perhaps never published goes out first, and
reading begins where Postgres says, whatever Kafka has committed for the group.

After a crash that is little; after `muster rewind` it can be everything there is. So it goes out in parts, each of them
noted, and whoever has to leave off between two parts goes on from there.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import JOURNAL
from worker.applying import Applying
from worker.assignment import Assignment
from worker.batch import place
from worker.database import Database
from worker.deadletters import DeadLetters
from worker.failures import Rewind, WrongLog
from worker.intake import Intake
from worker.lag import Lag
from worker.outlet import Outlet
from worker.positions import Log, Place, Position, Positions
from worker.projection import Projection
from worker.publisher import Publisher
from worker.reading import Reader
from worker.records import Span
from worker.settings import Settings
from worker.share import Share

log = structlog.get_logger(__name__)

Partitions = Mapping[Place, TopicPartition]

OFFSETS_AT_ONCE = 2000
"""Of one publication of what was committed before: a few megabytes."""


class Takeover:
    """Knows what is needed to take partitions over for a projection from one cluster."""

    def __init__(
        self,
        settings: Settings,
        projection: Projection,
        publisher: Publisher,
        dead_letters: DeadLetters,
        cluster_id: str,
    ) -> None:
        self._settings = settings
        self._projection = projection
        self._publisher = publisher
        self._topics = {settings.topic_name(topic): topic for topic in projection.topics}
        self._positions = Positions(projection.group, cluster_id, settings.topic_epoch)
        self._applying = Applying(projection, self._positions, dead_letters)

    async def take_over(
        self,
        kafka: AIOKafkaConsumer,
        assignment: Assignment,
        database: Database,
        may_go_on: Callable[[], bool],
    ) -> Share:
        """Take over what is assigned. Raises `WrongLog`, and `Rewind` if the assignment changes meanwhile.

        `may_go_on` is asked now and then, and whatever has to leave off raises `Rewind` too.
        """
        turn, assigned = assignment.turn, assignment.partitions or frozenset()
        counts = self._partition_counts(kafka)
        partitions = {(self._topics[each.topic].name, each.partition): each for each in assigned}
        starts = await self._recover(
            database,
            await self._logs(kafka, partitions),
            lambda: turn == assignment.turn and may_go_on(),
        )
        if turn != assignment.turn:
            raise Rewind("partitions came or went")
        intake = Intake(
            self._settings,
            kafka,
            {
                each: (self._topics[each.topic], starts[where].applied_to)
                for where, each in partitions.items()
            },
            Reader(self._projection.group, self._topics, counts),
            is_current=lambda: turn == assignment.turn,
            change=assignment.change,
        )
        outlet = Outlet(self._publisher, self._positions, starts)
        lag = Lag(
            {where: start.applied_to for where, start in starts.items()},
            outlet.reached,
            lambda where: intake.waiting_records(partitions[where]),
        )
        return Share(
            turn,
            kafka,
            partitions,
            intake,
            self._applying,
            outlet,
            lag,
            divided_from=self._settings.batch_records,
            apart=self._projection.apart,
        )

    async def _recover(
        self, database: Database, logs: Mapping[Place, Log], may_go_on: Callable[[], bool]
    ) -> dict[Place, Position]:
        async with database.transaction():
            starts = await self._positions.take_up(database, logs)
            await self._projection.check(database)
        for span in _unpublished(logs, starts):
            await self._publish_again(database, span, may_go_on)
        return {where: replace(start, published_to=start.applied_to) for where, start in starts.items()}

    async def _publish_again(self, database: Database, span: Span, may_go_on: Callable[[], bool]) -> None:
        """Publish what was committed of a span. What is out is noted after each part."""
        number = 0
        for part in _parts(span):
            if not may_go_on():
                raise Rewind("not everything that was committed is out yet")
            events = await self._projection.unpublished(database, part)
            await self._publisher.publish(events)
            await self._positions.mark_published(database, {place(part): part.until})
            number += len(events)
        log.info("published_again", topic=span.topic.name, partition=span.partition, events=number)

    async def _logs(self, kafka: AIOKafkaConsumer, partitions: Partitions) -> dict[Place, Log]:
        begins = await kafka.beginning_offsets(list(partitions.values()))
        ends = await kafka.end_offsets(list(partitions.values()))
        return {
            where: Log(self._topics[each.topic], begins[each], ends[each])
            for where, each in partitions.items()
        }

    def _partition_counts(self, kafka: AIOKafkaConsumer) -> dict[str, int]:
        """How many partitions each topic has in Kafka: routes are checked against that."""
        counts = {name: len(kafka.partitions_for_topic(name) or ()) for name in self._topics}
        for name, topic in self._topics.items():
            if not counts[name]:
                raise Rewind(f"nothing is known of {name} yet")
            if topic is JOURNAL and counts[name] != self._settings.journal_partitions:
                raise WrongLog(
                    f"{name} has {counts[name]} partitions and MUSTER_JOURNAL_PARTITIONS is "
                    f"{self._settings.journal_partitions}. The number is chosen once, and order depends on it: set it "
                    "as the topic is, or restore the topic."
                )
        return counts


def _parts(span: Span) -> Iterator[Span]:
    for since in range(span.since, span.until, OFFSETS_AT_ONCE):
        yield replace(span, since=since, until=min(since + OFFSETS_AT_ONCE, span.until))


def _unpublished(logs: Mapping[Place, Log], starts: Mapping[Place, Position]) -> Iterable[Span]:
    for where, start in starts.items():
        if start.published_to < start.applied_to:
            yield Span(logs[where].topic, where[1], start.published_to, start.applied_to)
