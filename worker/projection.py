"""What a service has to offer so that the consumer loop can keep its promises for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from schemas.topics import Topic
from worker.records import Incoming, Outgoing, Span

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    from worker.statements import Condition, Statement

Database: TypeAlias = "Connection[Record]"


@dataclass(frozen=True, slots=True)
class Effects:
    """What applying a batch leaves to be done: events to publish, in order, and records on which the service broke.

    `rest` is still to be stored: the loop does it together with moving the positions, and so are the statements of the
    `conditions`, which say that what was read is still so as far as the positions don't. With these locked, they hold.
    """

    outgoing: Sequence[Outgoing] = ()
    failed: Sequence[tuple[Incoming, BaseException]] = ()
    rest: "Sequence[Statement]" = ()
    conditions: "Sequence[Condition]" = ()


class NeedsLocks(Exception):
    """A batch can't be applied but in a transaction, with its positions locked."""


class Projection(Protocol):
    """A service's tables as a fold of its topics.

    `group` is the consumer group and never changes. The loop gives each record once, in order per partition. What
    `apply` does commits together with the positions: in one transaction per batch, in which their rows are locked, or
    of a few records in the one statement that moves them.
    """

    @property
    def group(self) -> str: ...

    @property
    def topics(self) -> Sequence[Topic]: ...

    @property
    def lanes(self) -> int:
        """How many transactions may be under way at once, each with partitions of its own.

        More than one only where no row is touched, and nothing in order published, from two partitions.
        """
        ...

    @property
    def at_once(self) -> int:
        """Of how many records at most `apply` may also be asked without a transaction.

        Then it stores nothing by itself, and raises `NeedsLocks` where it would have to.
        """
        ...

    @property
    def apart(self) -> float:
        """How many seconds later than a batch of few records the next one begins, at the earliest.

        What a batch costs is shared by all that came in meanwhile. A record that comes alone waits for nothing.
        """
        ...

    async def prepare(self, database: Database) -> None:
        """Make a fresh connection ready: its role, its search path. `positions` must resolve afterwards."""
        ...

    async def check(self, database: Database) -> None:
        """Raise `StandBy`, or `Rewind`, where the tables are no longer the ones that this connection was prepared for.

        Asked when partitions are taken over, and while there is nothing to apply.
        """
        ...

    async def apply(self, database: Database, batch: Sequence[Incoming]) -> Effects:
        """Fold a batch into the tables. Unreadable and failed records are in it, to be noted but without effect.

        Raising rolls the batch back: a passing error is tried again; any other is narrowed down to the guilty record,
        which comes again as `Failed`.
        """
        ...

    async def unpublished(self, database: Database, span: Span) -> Sequence[Outgoing]:
        """What was stored for these records and is to be published, in order; the same bytes as the first time."""
        ...
