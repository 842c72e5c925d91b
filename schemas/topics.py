"""The one table of topics: name, who writes, what is on it, how long it is kept.

The key of every record is the tenant's id in UTF-8, its partition Java's murmur2 of the key.
"""

from dataclasses import dataclass
from datetime import timedelta

from schemas.decisions import ItemIgnored, ItemImported, ItemLinked
from schemas.envelope import EventData
from schemas.imports import (
    ConnectionChanged,
    EntityStaged,
    ImportFailed,
    ImportRequested,
    ImportStaged,
    ImportStarted,
    ImportWaiting,
    ItemStaged,
)
from schemas.outcomes import OutcomeRecorded
from schemas.portal import ClientAdded, MemberRecorded, MemberRemoved
from schemas.progress import VISIBLE_HOURS, IntegrationProgressed

MAX_EVENT_BYTES = 1024 * 1024
"""The largest event that is read; a larger record is kept as a dead letter."""

MAX_RECORD_BYTES = 4 * MAX_EVENT_BYTES
"""The largest record that a topic takes; dead letters may be a little larger, for their headers."""

FOR_EVER: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic; `retention` None is for ever. `dead_letters` is None for the dead-letter topics themselves.

    `partitions` is how many there are unless a system is set up with others; the journal's never change.
    """

    name: str
    writers: str
    types: tuple[type[EventData], ...]
    retention: timedelta | None
    dead_letters: "Topic | None" = None
    partitions: int = 12

    @property
    def is_dead_letters(self) -> bool:
        return not self.types


def _dead_letters(name: str, retention: timedelta | None) -> Topic:
    return Topic(f"{name}.dead-letters", "whoever could not process", (), retention, partitions=3)


REQUESTS = Topic(
    "muster.requests",
    "portal backends",
    (ImportRequested,),
    timedelta(days=7),
    _dead_letters("muster.requests", timedelta(days=30)),
)
JOURNAL = Topic(
    "muster.journal",
    "portal backends, importer",
    (
        ClientAdded,
        MemberRecorded,
        MemberRemoved,
        ConnectionChanged,
        ImportStarted,
        ImportWaiting,
        EntityStaged,
        ItemStaged,
        ImportStaged,
        ImportFailed,
        ItemImported,
        ItemIgnored,
        ItemLinked,
    ),
    FOR_EVER,
    _dead_letters("muster.journal", FOR_EVER),
    partitions=24,
)
OUTCOMES = Topic(
    "muster.outcomes",
    "resolver",
    (OutcomeRecorded,),
    timedelta(days=7),
    _dead_letters("muster.outcomes", timedelta(days=30)),
)
PROGRESS = Topic(
    "muster.progress",
    "notifier",
    (IntegrationProgressed,),
    timedelta(hours=VISIBLE_HOURS + 24),
)

TOPICS = (REQUESTS, JOURNAL, OUTCOMES, PROGRESS)
DEAD_LETTERS = tuple(topic.dead_letters for topic in TOPICS if topic.dead_letters)

EVENT_TYPES: dict[str, type[EventData]] = {event.TYPE: event for topic in TOPICS for event in topic.types}
