"""What an exception means to whoever typed the command: an exit code, and a sentence that says what to do.

Of what nobody foresaw the place is kept, in a file of this machine's, and never shown unasked: MUSTER_DEBUG=1 shows it,
with messages that may quote what a person typed.
"""

import os
import tempfile
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import asyncpg
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)
from pydantic import ValidationError

from ops.addresses import Where, where
from ops.ending import Exit, Incomplete, Misused
from stack.errors import StackError
from worker import telemetry
from worker.failures import NotPublished, Stop, Verdict, classify
from worker.settings import complaints
from worker.topics import TopicsMissing

PROJECT = Path(__file__).parent.parent
PACKAGES = frozenset({"ops", "sandbox", "schemas", "services", "stack", "worker"})
OWN_FAULT = "This is a fault of Muster's own"

Sentence = Callable[[Exception, Where], str]


def own_words(error: Exception, _: Where) -> str:
    return str(error)


def kafka_is_away(_: Exception, where: Where) -> str:
    return (
        f"Kafka does not answer at {where.kafka}. Start it, or say with MUSTER_KAFKA where it is; `muster up` starts "
        "one of your own."
    )


def kafka_refuses(error: Exception, where: Where) -> str:
    return (
        f"Kafka at {where.kafka} does not allow that ({type(error).__name__}). Have its operators give this client the "
        "right, then run it again."
    )


def postgres_is_away(_: Exception, where: Where) -> str:
    return (
        f"Postgres does not answer at {where.postgres}. Start it, or say with MUSTER_POSTGRES_DSN where it is; `muster "
        "up` starts one of your own."
    )


def postgres_refuses(_: Exception, where: Where) -> str:
    return f"Postgres at {where.postgres} does not accept the user or the password. Mend MUSTER_POSTGRES_DSN."


def no_database(_: Exception, where: Where) -> str:
    return (
        f"Postgres has no database {where.postgres}. Mend MUSTER_POSTGRES_DSN, or create the database and run `muster "
        "migrate`."
    )


def no_right(error: Exception, where: Where) -> str:
    return (
        f"The user of MUSTER_POSTGRES_DSN may not do that at {where.postgres}: {error}. Connect as the user that runs "
        "`muster migrate`, or have it grant this one its muster_ roles."
    )


def not_migrated(_: Exception, where: Where) -> str:
    return (
        f"The database {where.postgres} lacks something that this release needs. Run `muster migrate`, then this "
        "again."
    )


def postgres_broke_off(error: Exception, where: Where) -> str:
    return (
        f"Postgres at {where.postgres} broke it off ({type(error).__name__}). Run the same again; if it stays so, its "
        "log says why."
    )


def no_answer_in_time(_: Exception, where: Where) -> str:
    return (
        f"Kafka at {where.kafka} or Postgres at {where.postgres} did not answer in time. `muster doctor` says which; "
        "run this again when it does."
    )


def file_trouble(error: Exception, _: Where) -> str:
    assert isinstance(error, OSError)
    return f"{error.filename}: {error.strerror}. Name another file or folder."


ENDINGS: Sequence[tuple[tuple[type[Exception], ...], Exit, Sentence]] = (
    ((Misused,), Exit.USAGE, own_words),
    ((Incomplete,), Exit.INCOMPLETE, own_words),
    ((Stop, StackError), Exit.REFUSED, own_words),
    ((NotPublished,), Exit.UNREACHABLE, kafka_is_away),
    ((TopicsMissing,), Exit.REFUSED, own_words),
    (
        (TopicAuthorizationFailedError, GroupAuthorizationFailedError, ClusterAuthorizationFailedError),
        Exit.REFUSED,
        kafka_refuses,
    ),
    ((asyncpg.InvalidAuthorizationSpecificationError,), Exit.REFUSED, postgres_refuses),
    ((asyncpg.InvalidCatalogNameError,), Exit.REFUSED, no_database),
    ((asyncpg.InsufficientPrivilegeError,), Exit.REFUSED, no_right),
    (
        (
            asyncpg.UndefinedTableError,
            asyncpg.UndefinedColumnError,
            asyncpg.UndefinedObjectError,
            asyncpg.InvalidSchemaNameError,
            asyncpg.InvalidParameterValueError,
        ),
        Exit.REFUSED,
        not_migrated,
    ),
)
"""In this order."""


def explanation(error: Exception) -> tuple[Exit, str]:
    """The exit code and the sentence that an exception comes to; never its message, unless that names no value."""
    if isinstance(error, ValidationError):
        return Exit.USAGE, "\n".join(complaints(error))
    for classes, code, sentence in ENDINGS:
        if isinstance(error, classes):
            return code, sentence(error, where())
    if isinstance(error, OSError) and error.filename:
        return Exit.REFUSED, file_trouble(error, where())
    if classify(error) is Verdict.PASSING:
        return Exit.UNREACHABLE, _passing(error)(error, where())
    return Exit.BROKEN, f"{OWN_FAULT} ({type(error).__name__}{_place(error)})."


def last_words(error: Exception) -> tuple[Exit, str]:
    """The same, and of a fault of our own the trace, or where it is kept."""
    code, sentence = explanation(error)
    if code is not Exit.BROKEN:
        return code, sentence
    if os.environ.get("MUSTER_DEBUG"):
        return code, "".join(traceback.format_exception(error)) + sentence
    kept = _keep(error)
    where_it_is = f" Its trace is kept in {kept}." if kept else ""
    return code, f"{sentence}{where_it_is} MUSTER_DEBUG=1 shows it."


def _passing(error: Exception) -> Sentence:
    match error:
        case KafkaError():
            return kafka_is_away
        case asyncpg.PostgresError() if (error.sqlstate or "")[:2] != "08":
            return postgres_broke_off
        case TimeoutError():
            return no_answer_in_time
        case _:
            return postgres_is_away


def _place(error: Exception) -> str:
    """The last place of ours that it went through, as `, ops/lag.py:42`."""
    places = [
        (Path(each.filename).relative_to(PROJECT), each.lineno)
        for each in traceback.extract_tb(error.__traceback__)
        if Path(each.filename).is_relative_to(PROJECT)
    ]
    ours = [f"{path}:{line}" for path, line in places if path.parts[0] in PACKAGES]
    return f", {ours[-1]}" if ours else ""


def _keep(error: Exception) -> Path | None:
    """Write where it happened into a file, without messages; None where there is no room for one."""
    lines = [f"muster {version('muster')}", *telemetry.trace(error)]
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix=f"muster-{datetime.now(UTC):%Y%m%d-%H%M%S}-", suffix=".trace", delete=False
        ) as kept:
            kept.write("".join(f"{line}\n" for line in lines))
    except OSError:
        return None
    return Path(kept.name)
