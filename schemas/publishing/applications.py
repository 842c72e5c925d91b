"""Who writes and who reads which records: our services, and the portal backends of those who use them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
from schemas.progress import IntegrationProgressed
from schemas.topics import JOURNAL, OUTCOMES, PROGRESS, REQUESTS, Topic

Events = tuple[type[EventData], ...]


@dataclass(frozen=True, slots=True)
class Application:
    """What a program sends, and what it receives. A service's consumer group is its name."""

    name: str
    title: str
    purpose: str
    sends: Mapping[Topic, Events] = field(default_factory=dict)
    receives: tuple[Topic, ...] = ()
    is_service: bool = True

    @property
    def dead_letters(self) -> list[Topic]:
        """Where it keeps what it could not process; what a portal backend does about that is its own affair."""
        return [topic.dead_letters for topic in self.receives if topic.dead_letters and self.is_service]


PORTAL = Application(
    "portal",
    "portal backends",
    "A portal's own backend: asks for imports, tells what staff record and decide, follows what becomes of it.",
    sends={
        REQUESTS: (ImportRequested,),
        JOURNAL: (ClientAdded, MemberRecorded, MemberRemoved, ItemImported, ItemIgnored, ItemLinked),
    },
    receives=(OUTCOMES, PROGRESS),
    is_service=False,
)
IMPORTER = Application(
    "importer",
    "importer",
    "Brings outside facts in: reads XPM and stages what it finds.",
    sends={
        JOURNAL: (
            ConnectionChanged,
            ImportStarted,
            ImportWaiting,
            EntityStaged,
            ItemStaged,
            ImportStaged,
            ImportFailed,
        )
    },
    receives=(REQUESTS,),
)
RESOLVER = Application(
    "resolver",
    "resolver",
    "Decides: folds the journal, and tells what each record came to.",
    sends={OUTCOMES: (OutcomeRecorded,)},
    receives=(JOURNAL,),
)
NOTIFIER = Application(
    "notifier",
    "notifier",
    "Tells: keeps the list of all integration actions of the past 72 hours.",
    sends={PROGRESS: (IntegrationProgressed,)},
    receives=(REQUESTS, OUTCOMES),
)

APPLICATIONS = (PORTAL, IMPORTER, RESOLVER, NOTIFIER)


def writer_of(event: type[EventData]) -> Application:
    """The application that sends events of this type."""
    return next(each for each in APPLICATIONS if any(event in events for events in each.sends.values()))


def readers_of(topic: Topic) -> list[Application]:
    """The applications that receive the topic."""
    return [each for each in APPLICATIONS if topic in each.receives]
