"""Reading the dead-letter topics from end to end: no index has to be kept in step, and 100,000 take seconds."""

from collections.abc import AsyncIterator, Iterable

from aiokafka import TopicPartition

from ops.broker import Broker
from ops.deadletters.choice import Choice
from ops.deadletters.letter import DeadLetter, read
from ops.deadletters.standing import Standings
from ops.voice import Steps
from schemas.topics import DEAD_LETTERS
from worker.settings import Settings


async def places(settings: Settings, broker: Broker) -> list[TopicPartition]:
    """Every partition of every dead-letter topic that is there."""
    counts = await broker.partitions()
    names = [settings.topic_name(topic) for topic in DEAD_LETTERS]
    return [TopicPartition(name, number) for name in names for number in range(counts.get(name, 0))]


async def scan(
    settings: Settings, broker: Broker, choice: Choice, known: Standings, steps: Steps
) -> AsyncIterator[list[DeadLetter]]:
    """The letters that are meant, in portions. One that was kept twice, after a crash, comes once."""
    wanted = await places(settings, broker)
    begins, ends = await broker.begins(wanted), await broker.ends(wanted)
    seen: set[str] = set()
    steps.expect(sum(ends[each] - begins[each] for each in wanted))
    async for records in broker.read(begins, ends):
        fresh = _fresh(map(read, records), seen)
        yield [letter for letter in fresh if choice.means(letter, known.of(letter.id))]
        steps.advance(len(records))


def _fresh(letters: Iterable[DeadLetter], seen: set[str]) -> list[DeadLetter]:
    found = []
    for letter in letters:
        if letter.id not in seen:
            seen.add(letter.id)
            found.append(letter)
    return found
