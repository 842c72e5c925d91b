"""Whoever watches something long: told in sentences, and how far each step has come."""

from contextlib import AbstractContextManager
from typing import Protocol


class Steps(Protocol):
    """How far something has come."""

    def advance(self, number: int = 1) -> None: ...


class Watcher(Protocol):
    """What is said while it is at work."""

    def remark(self, sentence: str) -> None: ...

    def progress(
        self, doing: str, total: int | None = None, unit: str = "records"
    ) -> AbstractContextManager[Steps]: ...
