"""Where the commands find Kafka and Postgres: the environment says, or the stack that is up; and what if they don't."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import typer
from aiokafka.errors import KafkaConnectionError
from pydantic import SecretStr, ValidationError

from stack.errors import StackError
from stack.opening import find_stack
from stack.settings import StackSettings
from worker.failures import Stop
from worker.settings import Settings, complaints


def settings_in_reach() -> Settings:
    """The settings from the environment; addresses that it does not give are those of the stack that is up."""
    settings = Settings()
    found = find_stack(StackSettings.from_environment())
    if found is None:
        return settings
    addresses = {"kafka": found.kafka, "postgres_dsn": SecretStr(found.postgres)}
    return settings.model_copy(
        update={name: value for name, value in addresses.items() if name not in settings.model_fields_set}
    )


@contextmanager
def plainly() -> Iterator[None]:
    """End the command with a sentence where a trace would help nobody."""
    try:
        yield
    except ValidationError as error:
        _end("\n".join(complaints(error)))
    except (Stop, StackError) as error:
        _end(str(error))
    except KafkaConnectionError:
        _end("Kafka does not answer. Say where it is with MUSTER_KAFKA, or start one with `muster up`.")
    except (OSError, asyncpg.CannotConnectNowError, asyncpg.InvalidAuthorizationSpecificationError):
        _end(
            "Postgres does not let us in. Say where it is with MUSTER_POSTGRES_DSN, or start one with `muster up`."
        )


def _end(sentence: str) -> None:
    print(sentence, file=sys.stderr)
    raise typer.Exit(1)
