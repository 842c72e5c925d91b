"""
Xero's limits on calls: 5 at once, 60 a minute and 5,000 a day for each practice, 10,000 a minute for the
application.

Windows are fixed: they begin at a phase of their own, which nobody is told, do not roll, and a call that is refused
does not count.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from sandbox.chance import Chance

Problem = Literal["concurrent", "minute", "day", "appminute"]
MonotonicClock = Callable[[], float]


@dataclass(frozen=True)
class Limits:
    """How much is allowed, how long the two windows last, and where in time they begin (all in seconds).

    Without a `phase` each practice has one of its own for either window.
    """

    concurrent: int = 5
    minute: int = 60
    day: int = 5_000
    minute_seconds: float = 60
    day_seconds: float = 86_400
    phase: float | None = None

    def quickened(self, times: float) -> "Limits":
        """The same numbers of calls in windows that are so many times shorter: an hour to try out in a minute."""
        return replace(self, minute_seconds=self.minute_seconds / times, day_seconds=self.day_seconds / times)


REAL = Limits()
GENEROUS = Limits(concurrent=1_000, minute=100_000, day=10_000_000)
"""For demonstrations and tests that are about something else: never met, but still printed in the headers."""

APPLICATION = 10_000
KEPT_WINDOWS = 1_000


class Window:
    """A fixed window of time in which only so many calls are allowed."""

    def __init__(self, allowed: int, seconds: float, phase: float, clock: MonotonicClock) -> None:
        self._allowed, self._seconds, self._phase, self._clock = allowed, seconds, phase, clock
        self._number: int | None = None
        self._used = 0
        self.history: Counter[int] = Counter()
        """Calls by the number of the window, as long as anybody looks at them."""

    @property
    def remaining(self) -> int:
        self._turn()
        return self._allowed - self._used

    @property
    def resets_in(self) -> int:
        """Whole seconds until the next window begins, at least 1."""
        self._turn()
        assert self._number is not None
        ends = (self._number + 1) * self._seconds + self._phase
        return max(1, math.ceil(ends - self._clock()))

    def use(self) -> None:
        self._turn()
        assert self._number is not None
        self._used += 1
        self.history[self._number] += 1
        if len(self.history) > KEPT_WINDOWS:
            del self.history[min(self.history)]

    def _turn(self) -> None:
        number = math.floor((self._clock() - self._phase) / self._seconds)
        if number != self._number:
            self._number, self._used = number, 0


@dataclass(frozen=True)
class Exceeded:
    """Which limit refuses a call, and for how many seconds; of `concurrent` Xero does not say."""

    problem: Problem
    retry_after: int | None


class Quota:
    """The limits of one practice, with the application's minute shared by all of them."""

    def __init__(
        self, limits: Limits, application: Window, clock: MonotonicClock, practice: str = ""
    ) -> None:
        self._limits = limits
        self._running = 0
        self.application = application
        self.minute = Window(limits.minute, limits.minute_seconds, _phase(limits, practice, "minute"), clock)
        self.day = Window(limits.day, limits.day_seconds, _phase(limits, practice, "day"), clock)

    def exceeded(self) -> Exceeded | None:
        """What refuses a call now, the longest wait first."""
        if self.day.remaining <= 0:
            return Exceeded("day", self.day.resets_in)
        if self.minute.remaining <= 0:
            return Exceeded("minute", self.minute.resets_in)
        if self.application.remaining <= 0:
            return Exceeded("appminute", self.application.resets_in)
        return Exceeded("concurrent", None) if self._running >= self._limits.concurrent else None

    @contextmanager
    def call(self) -> Iterator[None]:
        """Count a call, which runs until the block ends."""
        for window in (self.day, self.minute, self.application):
            window.use()
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1

    def headers(self) -> dict[str, str]:
        remaining = {
            "x-appminlimit-remaining": self.application.remaining,
            "x-minlimit-remaining": self.minute.remaining,
            "x-daylimit-remaining": self.day.remaining,
        }
        return {name: str(number) for name, number in remaining.items()}


def _phase(limits: Limits, practice: str, window: str) -> float:
    luck = Chance("phase", practice, window).below(1_000_000) / 1_000_000
    seconds = limits.minute_seconds if window == "minute" else limits.day_seconds
    return luck * seconds if limits.phase is None else limits.phase
