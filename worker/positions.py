"""Where a group stands in each partition: how far Postgres contains the log, and how far the outcomes are out.

The rows are locked first in a batch's transaction and advance with its effects, or those of a small batch advance only
from where it begins. That is what makes an effect happen once: a process that lost its partitions, and a record that
comes again, find the position already moved.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from schemas.topics import Topic
from worker import queries
from worker.database import Database
from worker.failures import WrongLog
from worker.statements import Condition, Statement, execute_if, execute_together

QUERIES = queries.load("worker", "positions.sql")

Place = tuple[str, int]
"""A topic's name without prefix, and a partition."""


@dataclass(frozen=True, slots=True)
class Position:
    """`applied_to`: Postgres contains the log up to here. `published_to`: the outcomes are out up to here."""

    cluster_id: str
    epoch: int
    applied_to: int
    published_to: int


@dataclass(frozen=True, slots=True)
class Log:
    """What Kafka has of a partition: the offsets from `begin` up to and not including `end`."""

    topic: Topic
    begin: int
    end: int


class Positions:
    """The positions of a group in the topics of one cluster and epoch."""

    def __init__(self, group: str, cluster_id: str, epoch: int) -> None:
        self._group = group
        self._cluster_id = cluster_id
        self._epoch = epoch

    async def take_up(self, database: Database, logs: Mapping[Place, Log]) -> dict[Place, Position]:
        """Lock the positions in these logs, at their begin where there is none yet. Raises `WrongLog`."""
        topics, partitions = _columns(logs)
        since = [first_offset(log) for log in logs.values()]
        await database.execute(
            QUERIES.insert_missing, self._group, self._cluster_id, self._epoch, topics, partitions, since
        )
        found = await self.lock(database, logs)
        for place, position in found.items():
            check_range(place, position, logs[place])
        return found

    async def lock(self, database: Database, places: Iterable[Place]) -> dict[Place, Position]:
        """Lock the positions that are there. Raises `WrongLog` for one of another cluster or epoch."""
        rows = await database.fetch(QUERIES.lock, self._group, *_columns(places))
        found = {
            (row["topic"], row["partition"]): Position(
                row["cluster_id"], row["epoch"], row["applied_to"], row["published_to"]
            )
            for row in rows
        }
        for place, position in found.items():
            self._check_origin(place, position)
        return found

    async def advance(
        self,
        database: Database,
        applied: Mapping[Place, int],
        published: Mapping[Place, int],
        rest: Sequence[Statement] = (),
    ) -> None:
        """Move the locked positions, together with the rest of what is to be stored."""
        moved = [list(applied.values()), [published[place] for place in applied]]
        moving = Statement(QUERIES.advance, [self._group, *_columns(applied), *moved])
        await execute_together(database, [*rest, moving])

    async def advance_from(
        self,
        database: Database,
        since: Mapping[Place, int],
        applied: Mapping[Place, int],
        published: Mapping[Place, int],
        rest: Sequence[Statement],
        conditions: Sequence[Condition],
    ) -> None:
        """Move positions that nobody has locked, together with what is to be stored, if they still stand where a batch
        begins and all else holds. Raises `NotSo`.
        """
        places = sorted(applied)
        moved = [[each[place] for place in places] for each in (since, applied, published)]
        parameters = [self._group, *_columns(places), *moved, self._cluster_id, self._epoch]
        moving = Condition(Statement(QUERIES.advance_from, parameters), len(places))
        await execute_if(database, [moving, *conditions], rest)

    async def mark_published(self, database: Database, published: Mapping[Place, int]) -> None:
        """Note how far everything was acknowledged."""
        await database.execute(
            QUERIES.mark_published, self._group, *_columns(published), list(published.values())
        )

    def _check_origin(self, place: Place, position: Position) -> None:
        if position.cluster_id != self._cluster_id:
            raise WrongLog(
                f"The stored position in {_named(place)} belongs to the Kafka cluster {position.cluster_id}, and this "
                f"is the cluster {self._cluster_id}. Connect to the right cluster, or to the database of this one."
            )
        if position.epoch != self._epoch:
            raise WrongLog(
                f"The stored position in {_named(place)} belongs to epoch {position.epoch} of the topics, and "
                f"MUSTER_TOPIC_EPOCH is {self._epoch}. Set it right; if the topics were made anew on purpose, empty "
                "the service's tables together with their positions."
            )


def first_offset(log: Log) -> int:
    """Where a new group begins: what is kept for ever is read from 0, so that a missing beginning is noticed."""
    return 0 if log.topic.retention is None else log.begin


def check_range(place: Place, position: Position, log: Log) -> None:
    """Raise `WrongLog` if the log no longer has what comes next, or never came as far as the position."""
    if log.begin > position.applied_to:
        raise WrongLog(
            f"{_named(place)} begins at offset {log.begin}, and records from {position.applied_to} on were never "
            "applied: they are lost from the topic. Restore the topic; or accept the loss by setting applied_to and "
            f"published_to of this row of positions to {log.begin}."
        )
    if log.end < position.applied_to:
        raise WrongLog(
            f"{_named(place)} ends at offset {log.end}, and {position.applied_to} were already applied: it is another "
            "topic, or it has lost its end. Restore the topic; if it was made anew on purpose, empty the service's "
            "tables together with their positions."
        )


def _columns(places: Iterable[Place]) -> tuple[list[str], list[int]]:
    pairs = list(places)
    return [topic for topic, _ in pairs], [partition for _, partition in pairs]


def _named(place: Place) -> str:
    return f"{place[0]}[{place[1]}]"
