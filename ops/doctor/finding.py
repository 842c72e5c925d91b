"""What a check finds."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ops.broker import Broker
from worker.settings import Settings

Level = Literal["ok", "look", "bad"]
"""`look`: nothing is broken, but somebody should look at it. `bad`: something does not work or will not."""


@dataclass(frozen=True, slots=True)
class Finding:
    """How something is, in a sentence, and what to do unless it is well."""

    check: str
    level: Level
    said: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class World:
    """What checks look at. `broker` is None while Kafka does not answer, `no_database` is why Postgres does not."""

    settings: Settings
    broker: Broker | None
    no_database: Exception | None
    late_seconds: float


Check = Callable[[World], Awaitable[Sequence[Finding]]]
