"""Where the commands find Kafka and Postgres: the environment says, or the stack that is up."""

from typing import NamedTuple
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError

from stack.errors import StackError
from stack.opening import find_stack
from stack.settings import StackSettings
from worker.settings import Settings


class Where(NamedTuple):
    """The addresses as they may be shown: without user and password."""

    kafka: str
    postgres: str


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


def where() -> Where:
    """The addresses that `settings_in_reach` gives, for sentences about them."""
    try:
        settings = settings_in_reach()
    except (ValidationError, StackError):
        return Where("MUSTER_KAFKA", "MUSTER_POSTGRES_DSN")
    address = urlsplit(settings.postgres_dsn.get_secret_value())
    return Where(settings.kafka, address.netloc.rpartition("@")[2] + address.path)
