"""The limit of the whole application over all practices, which every answer tells of.

It is watched by each process for itself: every process hears of it all the time, and what is kept back is more than
all of them can use in between.
"""

from collections.abc import Callable
from dataclasses import dataclass

KEPT_BACK = 500
"""Of 10,000 calls a minute imports leave these to people."""
KEPT_BACK_FROM_PEOPLE = 100
WINDOW_SECONDS = 60.0


@dataclass(slots=True)
class Application:
    """What is left of the application's minute, as far as this process has heard. `clock` counts seconds."""

    clock: Callable[[], float]
    left: int | None = None
    ends_by: float = 0.0

    def heard(self, left: int | None, *, refused: bool, retry_after: float | None = None) -> None:
        """An answer told what is left, or that nothing is and until when; a missing header is unknown."""
        if refused or left is not None:
            lasts = retry_after if refused and retry_after is not None else WINDOW_SECONDS
            self.left, self.ends_by = 0 if refused else left, self.clock() + min(lasts, WINDOW_SECONDS)

    def pause(self, *, for_person: bool) -> float:
        """Seconds until another call may be made: the next window has begun by then."""
        least = KEPT_BACK_FROM_PEOPLE if for_person else KEPT_BACK
        if self.left is None or self.left >= least:
            return 0.0
        return max(self.ends_by - self.clock(), 0.0)
