"""Dead letters: what could not be processed, byte for byte, with why, where and when in headers of its own.

All added headers are UTF-8 text and start with `muster-dead-letter-`. The id is derived, so that a letter which is sent
again after a crash can be recognised as the same one.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from schemas.fields import timestamp
from schemas.ids import derived_id
from schemas.topics import Topic
from worker import metrics
from worker.oddity import writable
from worker.publisher import Letter, Publisher
from worker.records import Incoming

log = structlog.get_logger(__name__)

PREFIX = "muster-dead-letter-"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a record is a dead letter. `detail` never repeats a value of the record; `error` is an exception's name."""

    why: str
    detail: str
    attempts: int = 1
    error: str = ""


class DeadLetters:
    """The dead letters of one group. Its publisher should compress: records that came compressed may have grown."""

    def __init__(self, publisher: Publisher, group: str, epoch: int) -> None:
        self._publisher = publisher
        self._group = group
        self._epoch = epoch

    async def keep(self, found: Sequence[tuple[Incoming, Cause]]) -> None:
        """Send the records to their topics' dead letters, and return when they are on disk there."""
        await self._publisher.send([self._letter(record, cause) for record, cause in found])
        for record, cause in found:
            _tell(record, cause)

    def _letter(self, record: Incoming, cause: Cause) -> Letter:
        added = [(PREFIX + name, text.encode()) for name, text in self._context(record, cause).items()]
        own = [(writable(name), value) for name, value in record.headers]
        return Letter(_destination(record.topic), record.key, record.value, [*own, *added])

    def _context(self, record: Incoming, cause: Cause) -> dict[str, str]:
        return {
            "id": letter_id(record, self._group, self._epoch),
            "group": self._group,
            "why": cause.why,
            "detail": cause.detail,
            "topic": record.topic.name,
            "partition": str(record.partition),
            "offset": str(record.offset),
            "timestamp": timestamp(record.timestamp),
            "at": timestamp(time.time_ns() // 1_000_000),
            "attempts": str(cause.attempts),
            "error": cause.error,
        }


def letter_id(record: Incoming, group: str, epoch: int) -> str:
    """The same whenever the same group keeps the same record of the same log."""
    return letter_id_of(group, record.topic, epoch, record.partition, record.offset)


def letter_id_of(group: str, topic: Topic, epoch: int, partition: int, offset: int) -> str:
    """The id of the letter that a group keeps of the record at a place, whether it has done so or not."""
    return derived_id("", "dead-letter", group, topic.name, epoch, partition, offset)


def _destination(topic: Topic) -> Topic:
    if topic.dead_letters is None:
        raise ValueError(f"{topic.name} has no dead letters, so it is not for projections")
    return topic.dead_letters


def _tell(record: Incoming, cause: Cause) -> None:
    metrics.DEAD_LETTERS.labels(record.topic.name, cause.why).inc()
    where = {"topic": record.topic.name, "partition": record.partition, "offset": record.offset}
    if cause.why == "misrouted":
        metrics.MISROUTED.labels(record.topic.name).inc()
        log.warning("security.misrouted", detail=cause.detail, **where)
    log.warning("dead_letter", why=cause.why, detail=cause.detail, error=cause.error, **where)
