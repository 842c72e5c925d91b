"""What an exception means, in one table.

    passing   the database or Kafka is gone, a deadlock, a timeout: wait and try again, the position stays
    final     a table, a right or a database is missing, or a `Stop`: no record is to blame, so the process ends
    broken    anything else is a bug that some record brings out: find the record, keep it as `failed`, go on

Exceptions of the worker itself:

    Stop                    the process ends; the message says what a person should do
    |-- WrongLog            the log in Kafka is not the one that the stored position belongs to
    `-- CannotRecord        not even the failure of a record can be stored
    StandBy                 a projection does not match what is live: leave the group until `prepare` accepts again
    CannotLeave             the consumer is still in its group: the process has to end, or it would sit on partitions
    Rewind                  the stored position is behind what was read: read again from there
    NotPublished            the brokers did not take what was sent; sending it again is safe
    Unacceptable            a record that can be read and is wrong all the same: a dead letter with a reason of its own
"""

from enum import Enum

from aiokafka.errors import KafkaError, KafkaTimeoutError, NoOffsetForPartitionError, OffsetOutOfRangeError
from asyncpg import DataError, InterfaceError, InternalClientError, PostgresError


class Stop(Exception):
    """The process ends. Do what the message says, then start it again."""


class WrongLog(Stop):
    """Going on would lose records or apply foreign ones. Restore the topic, or raise its epoch on purpose."""


class CannotRecord(Stop):
    """A record can neither be applied nor be recorded as failed. The service has to be mended."""


class StandBy(Exception):
    """The tables belong to other rules than this process's. It waits outside the group until that changes."""


class CannotLeave(Exception):
    """The consumer could not be stopped. End the process: as a member that reads nothing it would hold partitions."""


class Rewind(Exception):
    """The stored position is behind what was read, as after a restored backup. Reading starts again from it."""


class NotPublished(Exception):
    """Not everything was acknowledged. Publish all of it again: same ids, same content."""


class Unacceptable(Exception):
    """A projection does not take the record, and no service is to blame. Have its writer publish it again, mended.

    `why` is the dead letter's reason; `detail` never repeats a value of the record.
    """

    why: str
    detail: str


class Verdict(Enum):
    """What is to be done about an exception."""

    PASSING = "passing"
    FINAL = "final"
    BROKEN = "broken"


_PASSING_CLASSES = {
    "08",  # connection exception
    "40",  # serialization failure, deadlock
    "53",  # too many connections, disk full, out of memory
    "55",  # lock not available, object in use
    "57",  # shutdown, cannot connect now, statement timeout
    "58",  # system error
}
_PASSING_STATES = {
    "25006",  # read-only: the primary has moved
    "25P03",  # idle in transaction for too long
}
_MISSING_CLASSES = {
    "28",  # not allowed to connect
    "3D",  # no such database
    "3F",  # no such schema
}
_MISSING_STATES = {
    "42501",  # insufficient privilege
    "42P01",  # no such table
    "42703",  # no such column
    "42704",  # no such role
}
_READ_FROM_POSITIONS_AGAIN = (OffsetOutOfRangeError, NoOffsetForPartitionError)
"""Taking over again finds out whether something is lost."""


def classify(error: BaseException) -> Verdict:
    """Read the table."""
    if isinstance(error, PostgresError):
        return _of_state(error.sqlstate or "")
    if isinstance(error, InterfaceError | InternalClientError):
        return Verdict.PASSING if _connection_is_gone(error) else Verdict.BROKEN
    if isinstance(error, KafkaError):
        passing = error.retriable or isinstance(error, (KafkaTimeoutError, *_READ_FROM_POSITIONS_AGAIN))
        return Verdict.PASSING if passing else Verdict.BROKEN
    if isinstance(error, Stop | StandBy):
        return Verdict.FINAL
    if isinstance(error, Rewind | NotPublished | OSError | TimeoutError):
        return Verdict.PASSING
    return Verdict.BROKEN


def describe(error: BaseException) -> str:
    """Name the exception without its message, which may quote what a person typed."""
    state = getattr(error, "sqlstate", None)
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    return f"{name} {state}" if state else name


def _of_state(state: str) -> Verdict:
    if state[:2] in _PASSING_CLASSES or state in _PASSING_STATES:
        return Verdict.PASSING
    if state[:2] in _MISSING_CLASSES or state in _MISSING_STATES:
        return Verdict.FINAL
    return Verdict.BROKEN


def _connection_is_gone(error: InterfaceError | InternalClientError) -> bool:
    """Read what asyncpg says in words only: others between a server's last message and the connection's end.

    No two tasks use one connection, so an operation in progress is one that a server left without an answer.
    """
    if isinstance(error, InternalClientError):
        return str(error).startswith("cannot switch to state")
    said = str(error)
    return not isinstance(error, DataError) and (
        "closed" in said or "another operation is in progress" in said
    )
