"""Configuration from the environment: `MUSTER_KAFKA`, `MUSTER_POSTGRES_DSN` and so on, read once at the start."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.topics import JOURNAL, Topic


def _an_address(dsn: SecretStr) -> SecretStr:
    """Refuse what is none, so that it is said of the variable and not by whoever connects."""
    if urlsplit(dsn.get_secret_value()).scheme not in {"postgresql", "postgres"}:
        raise PydanticCustomError("address", "say postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
    return dsn


Positive = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseSettings):
    """What a process needs to know about the world it runs in."""

    model_config = SettingsConfigDict(env_prefix="MUSTER_", frozen=True, hide_input_in_errors=True)

    kafka: str = "localhost:9092"
    """Bootstrap servers, separated by commas."""
    postgres_dsn: Annotated[SecretStr, AfterValidator(_an_address)] = SecretStr(
        "postgresql://localhost:5432/muster"
    )

    topic_prefix: Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]*$", max_length=100)] = ""
    """Stands before every topic and group in Kafka, never in the database."""
    topic_epoch: Positive = 1
    """To be raised when topics were made anew: a position in the old ones must not be taken for one in the new."""

    journal_partitions: Positive = 24
    """Chosen once: the journal's order depends on it."""
    topic_partitions: Positive = 12
    dead_letter_partitions: Positive = 3
    replication_factor: Positive = 1
    min_insync_replicas: Positive = 1

    fill_emptied: bool = False
    """Let a resolver fill emptied tables by itself, and publish everything there ever was again: for measuring."""

    batch_records: Positive = 1000
    """The most records that share a transaction."""
    poll_ms: Positive = 200
    """How long a loop without records waits before it tidies up; a record wakes it at once."""
    session_seconds: Annotated[float, Field(ge=1)] = 15
    """After this long without a sign of life a process loses its partitions. Brokers may allow no less than 6."""
    publish_seconds: Seconds = 60
    """How long a publication may take before the producer is given up and made anew."""
    watchdog_seconds: Seconds = 120
    """How long there may be something to do without progress before the process ends itself."""
    graceful_seconds: Seconds = 20
    """How long a stop may take; longer than the longest batch."""
    start_seconds: Seconds = 120
    """How long a starting process waits for Kafka and Postgres."""

    http_host: str = "127.0.0.1"
    http_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """0 takes a free port; the line that says `ready`, and the ready file, tell which."""
    metrics_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    """Where `/metrics` is; beside everything else unless given. 0 takes a free port, which is told likewise."""
    demo: bool = False
    """For trying things out on one machine: keys that everybody knows, and people who sign in without a password."""
    token_key: SecretStr | None = None
    """Signs and checks the tokens that the notifier asks for: 32 characters or more, the same on both sides."""
    ready_file: Path | None = None
    """Written when the process is ready: a JSON object with `service`, `address`, `metrics` (its address) and `pid`."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["auto", "json", "console"] = "auto"
    """`auto` is for people on a terminal and JSON elsewhere."""

    def topic_name(self, topic: Topic) -> str:
        """What the topic is called in Kafka."""
        return self.topic_prefix + topic.name

    def group_name(self, group: str) -> str:
        """What the consumer group is called in Kafka."""
        return self.topic_prefix + group

    def partitions(self, topic: Topic) -> int:
        """With how many partitions the topic is made."""
        if topic.is_dead_letters:
            return self.dead_letter_partitions
        return self.journal_partitions if topic is JOURNAL else self.topic_partitions


def complaints(error: ValidationError) -> list[str]:
    """What is wrong with which variable, without repeating any value."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return [f"{'_'.join(['MUSTER', *map(str, each['loc'])]).upper()}: {each['msg']}" for each in found]
