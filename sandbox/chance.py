"""Luck that repeats itself: the same label gives the same luck on every Python."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar
from uuid import UUID, uuid5

_NAMESPACE = UUID("6f0f2d6e-9c3b-5d0e-8d55-3a4f3c5f7b11")

Option = TypeVar("Option")


class Chance:
    """
    A stream of luck named by a label such as `("seed 7", "family", 12)`.

    Only `Random.random()` is used: of all its methods Python promises the same numbers from one release to
    the next for that one alone.
    """

    def __init__(self, *label: object) -> None:
        self._random = Random("/".join(map(str, label)))  # noqa: S311 - made-up people, no secret

    def below(self, limit: int) -> int:
        """A whole number from 0 up to, but without, `limit`."""
        return int(self._random.random() * limit)

    def happens(self, percent: float) -> bool:
        return self._random.random() * 100 < percent

    def pick(self, options: Sequence[Option]) -> Option:
        return options[self.below(len(options))]


def made_up_uuid(*label: object) -> str:
    """The UUID that belongs to a label: always the same one."""
    return str(uuid5(_NAMESPACE, "/".join(map(str, label))))
