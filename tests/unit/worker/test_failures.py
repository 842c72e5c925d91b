"""What an exception means."""

import asyncpg
import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    NotEnoughReplicasError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
)

from worker.failures import (
    CannotRecord,
    NotPublished,
    Rewind,
    StandBy,
    Verdict,
    WrongLog,
    classify,
    describe,
)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.ConnectionDoesNotExistError(),
        asyncpg.SerializationError(),
        asyncpg.DeadlockDetectedError(),
        asyncpg.AdminShutdownError(),
        asyncpg.CannotConnectNowError(),
        asyncpg.TooManyConnectionsError(),
        asyncpg.DiskFullError(),
        asyncpg.LockNotAvailableError(),
        asyncpg.QueryCanceledError(),
        asyncpg.ReadOnlySQLTransactionError(),
        asyncpg.IdleInTransactionSessionTimeoutError(),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InterfaceError("cannot perform operation: another operation is in progress"),
        asyncpg.InternalClientError("cannot switch to state 11; another operation (2) is in progress"),
        KafkaConnectionError(),
        KafkaTimeoutError(),
        NotEnoughReplicasError(),
        OffsetOutOfRangeError(),
        ConnectionRefusedError(),
        TimeoutError(),
        Rewind(),
        NotPublished(),
    ],
    ids=describe,
)
def test_what_time_may_mend_is_passing(error: Exception) -> None:
    """The position stays and the same is tried again."""
    assert classify(error) is Verdict.PASSING


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.UndefinedTableError(),
        asyncpg.UndefinedColumnError(),
        asyncpg.InsufficientPrivilegeError(),
        asyncpg.InvalidCatalogNameError(),
        asyncpg.InvalidPasswordError(),
        WrongLog(),
        CannotRecord(),
        StandBy(),
    ],
    ids=describe,
)
def test_what_no_record_is_to_blame_for_is_final(error: Exception) -> None:
    """A missing table must not make dead letters of a whole journal."""
    assert classify(error) is Verdict.FINAL


@pytest.mark.parametrize(
    "error",
    [
        ValueError(),
        KeyError(),
        AssertionError(),
        RecursionError(),
        UnicodeDecodeError("utf-8", b"", 0, 1, ""),
        asyncpg.UniqueViolationError(),
        asyncpg.CheckViolationError(),
        asyncpg.CharacterNotInRepertoireError(),
        asyncpg.NumericValueOutOfRangeError(),
        asyncpg.DataError(),
        asyncpg.exceptions.DataError(),
        asyncpg.InterfaceError("cannot use Connection.transaction() in a manually started transaction"),
        asyncpg.InternalClientError("no decoder for OID 600"),
        TopicAuthorizationFailedError(),
    ],
    ids=describe,
)
def test_everything_else_is_broken(error: Exception) -> None:
    """What is not known to pass is a bug that some record brings out."""
    assert classify(error) is Verdict.BROKEN


def test_a_description_repeats_no_message() -> None:
    """A message may quote what a person typed; the class and the state may not."""
    error = asyncpg.UniqueViolationError("Key (email)=(ada@example.org) already exists")

    assert describe(error) == "asyncpg.exceptions.UniqueViolationError 23505"
    assert describe(ValueError("ada@example.org")) == "ValueError"
