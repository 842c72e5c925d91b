"""Redriving: judged in large portions, sent in small ones, each noted before and after.

A copy has the record's key, bytes and headers, so it is the same event under the same id: whatever is sent twice, after
a crash, takes effect once.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from ops.broker import Broker
from ops.deadletters import standing
from ops.deadletters.choice import Choice
from ops.deadletters.facts import judgements
from ops.deadletters.judging import FORCEABLE, Judgement
from ops.deadletters.letter import DeadLetter
from ops.deadletters.scanning import scan
from ops.deadletters.standing import Standings
from ops.groups import RESOLVER, tables_of
from ops.voice import Steps
from worker import redrive
from worker.database import Database
from worker.publisher import Letter, Publisher
from worker.settings import Settings

JUDGED_AT_ONCE = 10_000
SENT_AT_ONCE = 500
EXAMPLES = 3

Judged = tuple[DeadLetter, Judgement]


@dataclass(slots=True)
class Tally:
    """How many letters came to which judgement, with a few examples of each."""

    numbers: Counter[Judgement] = field(default_factory=Counter)
    examples: dict[Judgement, list[DeadLetter]] = field(default_factory=dict)

    def count(self, letter: DeadLetter, judgement: Judgement) -> None:
        self.numbers[judgement] += 1
        examples = self.examples.setdefault(judgement, [])
        if len(examples) < EXAMPLES:
            examples.append(letter)

    def of(self, *verdicts: str) -> int:
        return sum(number for judgement, number in self.numbers.items() if judgement.verdict in verdicts)

    def going(self, *, force: bool) -> int:
        """How many are redriven."""
        return sum(number for judgement, number in self.numbers.items() if goes(judgement, force=force))


def goes(judgement: Judgement, *, force: bool) -> bool:
    """Whether a letter with this judgement is redriven."""
    return judgement.verdict == "redrivable" or (force and judgement.verdict in FORCEABLE)


async def judged(
    settings: Settings, broker: Broker, choice: Choice, known: Standings, steps: Steps
) -> AsyncIterator[list[Judged]]:
    """The letters that are meant, with what would become of each, in large portions."""
    waiting: list[DeadLetter] = []
    async with tables_of(settings, RESOLVER) as database:
        async for letters in scan(settings, broker, choice, known, steps):
            waiting += letters
            if len(waiting) >= JUDGED_AT_ONCE:
                yield await _judge(settings, database, waiting)
                waiting = []
        if waiting:
            yield await _judge(settings, database, waiting)


async def redrive_all(
    publisher: Publisher,
    database: Database,
    run: UUID,
    letters: Sequence[DeadLetter],
    known: Standings,
) -> AsyncIterator[int]:
    """Redrive letters, and say after each portion how many it had. Raises `NotPublished`."""
    for portion in _portions(letters):
        await standing.begin(database, run, portion, known)
        landed = await publisher.send([copy_of(each, known.next_redrive(each)) for each in portion])
        await standing.redriven(database, portion, known, landed)
        yield len(portion)


def copy_of(letter: DeadLetter, redrives: int) -> Letter:
    """The record as it goes out again: without why it was kept, and with whom it is for."""
    assert letter.source is not None, "judged before"
    return Letter(
        letter.source,
        letter.key,
        letter.value,
        [
            *letter.headers,
            (redrive.GROUP, letter.group.encode()),
            (redrive.LETTER, letter.id.encode()),
            (redrive.COUNT, str(redrives).encode()),
        ],
    )


async def _judge(settings: Settings, database: Database, letters: Sequence[DeadLetter]) -> list[Judged]:
    found = await judgements(database, letters, settings.journal_partitions)
    return list(zip(letters, found, strict=True))


def _portions(letters: Sequence[DeadLetter]) -> Iterator[Sequence[DeadLetter]]:
    for start in range(0, len(letters), SENT_AT_ONCE):
        yield letters[start : start + SENT_AT_ONCE]
