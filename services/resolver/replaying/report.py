"""What a run came to, as far as it came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.resolver.generations import Generation
from services.resolver.replaying.swapping import Swapped
from worker.differences import Count


@dataclass(frozen=True, slots=True)
class Folded:
    """What was folded in this run."""

    records: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """What a run came to. `counts` is what differs; `compared` how many rows the other generation has, per table.

    `answers` and `states` are what a swap publishes; `letters` how many records it found to be dead letters.
    """

    here: Generation
    there: Generation
    resumed: bool
    folded: Folded
    counts: Sequence[Count]
    compared: Mapping[str, int]
    answers: int = 0
    states: int = 0
    restored: bool = False
    swapped: Swapped | None = None
    published: int = 0
    letters: int = 0

    @property
    def identical(self) -> bool:
        return not self.counts
