"""Where the stack keeps its data and where its parts come from, as the environment says."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Self

from stack.errors import StackError


class Source(StrEnum):
    """Where Kafka and Postgres come from."""

    AUTO = "auto"
    """The environment's addresses; then Docker, where an engine answers; then embedded."""
    ENVIRONMENT = "environment"
    DOCKER = "docker"
    EMBEDDED = "embedded"


@dataclass(frozen=True)
class Addresses:
    """Where to reach the two, as the settings of the services take them."""

    kafka: str
    postgres: str
    """A DSN, password included."""

    def environment(self) -> dict[str, str]:
        """Return the variables by which every process of ours finds them."""
        return {"MUSTER_KAFKA": self.kafka, "MUSTER_POSTGRES_DSN": self.postgres}


@dataclass(frozen=True)
class StackSettings:
    """Everything that decides which Kafka and which Postgres are used."""

    folder: Path
    """For all data; ignored by git."""
    source: Source = Source.AUTO
    kafka: str | None = None
    """Given from outside: ours to use, not to start."""
    postgres: str | None = None
    """As above."""
    programs: Path = field(default_factory=lambda: project() / ".muster" / "programs")
    """For what was fetched or prepared once and holds no data."""
    maven: str | None = None
    """The address of a mirror of Maven's central repository."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read `MUSTER_STACK`, `_KAFKA`, `_POSTGRES_DSN`, `_FOLDER` and `_MAVEN`. Raises StackError."""
        given = os.environ if environment is None else environment
        source = given.get("MUSTER_STACK") or Source.AUTO
        if source not in set(Source):
            raise StackError(f"MUSTER_STACK is {source!r} and should be one of: {', '.join(Source)}.")
        return cls(
            folder=Path(given.get("MUSTER_FOLDER") or project() / ".muster").absolute(),
            source=Source(source),
            kafka=given.get("MUSTER_KAFKA") or None,
            postgres=given.get("MUSTER_POSTGRES_DSN") or None,
            maven=given.get("MUSTER_MAVEN") or None,
        )


def project() -> Path:
    """Return the checkout this code runs from; the current folder when it was installed as a package."""
    checkout = Path(__file__).parent.parent
    return checkout if (checkout / "pyproject.toml").exists() else Path.cwd()
