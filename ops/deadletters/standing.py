"""How dead letters stand: what was done about each, in Postgres.

A redrive is noted before the copies are sent and again when they are acknowledged. Between the two a letter is in
doubt; where a run was killed there, the next one looks in the topic whether the copy is out (`settle`).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from aiokafka import TopicPartition

from ops.audit import operator_connection
from ops.broker import Broker
from ops.deadletters.choice import State
from ops.deadletters.letter import SOURCES, DeadLetter
from ops.ending import Refused
from ops.times import milliseconds
from worker import queries, redrive
from worker.database import Database
from worker.publisher import Landed
from worker.settings import Settings

QUERIES = queries.load("ops.deadletters", "queries.sql")

CLOCKS_DIFFER = timedelta(minutes=5)
"""How far the broker's clock may be behind the database's when a copy is looked for."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was done about a letter; `partition` and `offset` are the copy's."""

    letter_id: str
    attempt: int
    run: UUID
    action: str
    state: str
    at: datetime
    topic: str
    redrives: int
    reason: str | None
    partition: int | None
    offset: int | None

    @property
    def standing(self) -> State:
        match self.action, self.state:
            case "discard", _:
                return "discarded"
            case "replay", "done":
                return "replayed"
            case _, "done":
                return "redriven"
            case _, "begun":
                return "in doubt"
        return "open"


@dataclass(frozen=True, slots=True)
class Broken:
    """What a run that was broken off came to: letters it has redriven, and letters it had in hand and did not send."""

    run: UUID
    redriven: int
    undone: int


class Standings:
    """The last attempt at every letter that somebody did something about."""

    def __init__(self, attempts: Sequence[Attempt]) -> None:
        self._last = {each.letter_id: each for each in attempts}

    def of(self, letter_id: str) -> State:
        found = self._last.get(letter_id)
        return found.standing if found else "open"

    def next_attempt(self, letter_id: str) -> int:
        found = self._last.get(letter_id)
        return found.attempt + 1 if found else 1

    def next_redrive(self, letter: DeadLetter) -> int:
        """How often the record will have been redriven with the next time."""
        found = self._last.get(letter.id)
        return max(letter.redrives, found.redrives if found else 0) + 1


async def standings(database: Database) -> Standings:
    return Standings([Attempt(**row) for row in await database.fetch(QUERIES.handled)])


async def attempts(database: Database, letter_id: str) -> list[Attempt]:
    return [Attempt(**row) for row in await database.fetch(QUERIES.attempts, letter_id)]


async def in_doubt(database: Database) -> list[Attempt]:
    return [Attempt(**row) for row in await database.fetch(QUERIES.in_doubt)]


async def came_to(database: Database, runs: Sequence[UUID]) -> list[Broken]:
    return [Broken(**row) for row in await database.fetch(QUERIES.came_to, runs)]


@asynccontextmanager
async def alone(settings: Settings) -> AsyncIterator[Database]:
    """A connection for changes, one operator's at a time. Raises `Refused`."""
    async with operator_connection(settings) as database:
        if not await database.fetchval(QUERIES.alone):
            raise Refused(
                "Somebody else is changing dead letters now. `muster audit` says who; wait for them."
            )
        yield database


async def begin(database: Database, run: UUID, letters: Sequence[DeadLetter], known: Standings) -> None:
    """Note that these are about to be redriven."""
    await database.execute(QUERIES.begin, run, *_columns(letters, known))


async def redriven(
    database: Database, letters: Sequence[DeadLetter], known: Standings, landed: Sequence[Landed]
) -> None:
    """Note where the copies are."""
    ids, numbers, _, _ = _columns(letters, known)
    places = [each.partition for each in landed], [each.offset for each in landed]
    await database.execute(QUERIES.redriven, ids, numbers, *places)


async def discard(
    database: Database, run: UUID, letters: Sequence[DeadLetter], known: Standings, reason: str
) -> None:
    """Note that nothing is to be done about these."""
    async with database.transaction():
        await database.execute(QUERIES.discard, run, *_columns(letters, known, redrives=0), reason)


async def replayed(database: Database, run: UUID, letter_ids: Sequence[str], topic: str) -> int:
    """Note that a replay has decided the records of these, as far as they are open; how many that were."""
    return len(await database.fetch(QUERIES.replayed, run, letter_ids, topic))


async def open_again(database: Database, run: UUID, letter_ids: Sequence[str], topic: str) -> int:
    """Note that a replay breaks again on what an earlier one had decided; how many that were."""
    return len(await database.fetch(QUERIES.open_again, run, letter_ids, topic))


async def settle(
    settings: Settings, broker: Broker, database: Database, doubtful: Sequence[Attempt]
) -> tuple[int, int]:
    """Find out what became of letters in doubt: how many copies are out, and how many are not."""
    copies: dict[tuple[str, int], Landed] = {}
    for topic in sorted({each.topic for each in doubtful}):
        begun = min(each.at for each in doubtful if each.topic == topic) - CLOCKS_DIFFER
        copies |= await _copies(broker, settings.topic_name(SOURCES[topic]), milliseconds(begun))
    out = [each for each in doubtful if (each.letter_id, each.redrives) in copies]
    rest = [each for each in doubtful if (each.letter_id, each.redrives) not in copies]
    found = [copies[each.letter_id, each.redrives] for each in out]
    async with database.transaction():
        await database.execute(
            QUERIES.redriven,
            [each.letter_id for each in out],
            [each.attempt for each in out],
            [each.partition for each in found],
            [each.offset for each in found],
        )
        await database.execute(
            QUERIES.not_redriven, [each.letter_id for each in rest], [each.attempt for each in rest]
        )
    return len(out), len(rest)


async def _copies(broker: Broker, topic: str, since: int) -> Mapping[tuple[str, int], Landed]:
    """The copies on a topic that are not older, by letter and how often it was redriven."""
    places = [TopicPartition(topic, number) for number in range((await broker.partitions())[topic])]
    found = {}
    async for records in broker.read(await broker.at(places, since), await broker.ends(places)):
        for record in records:
            headers = dict(record.headers)
            if redrive.LETTER in headers:
                letter, count = headers[redrive.LETTER], headers.get(redrive.COUNT)
                found[letter.decode(), int(count or b"0")] = Landed(record.partition, record.offset)
    return found


def _columns(
    letters: Sequence[DeadLetter], known: Standings, redrives: int | None = None
) -> tuple[list[str], list[int], list[str], list[int]]:
    return (
        [each.id for each in letters],
        [known.next_attempt(each.id) for each in letters],
        [each.topic for each in letters],
        [known.next_redrive(each) if redrives is None else redrives for each in letters],
    )
