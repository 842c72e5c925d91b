"""Where the commands find Kafka and Postgres: the environment says, or the stack that is up."""

from pydantic import SecretStr

from stack.opening import find_stack
from stack.settings import StackSettings
from worker.settings import Settings


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
