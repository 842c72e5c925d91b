"""Callers of one practice in made-up time: they share a budget, and the sandbox's own quota judges them."""

import heapq
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from itertools import count
from random import Random

from sandbox.quota import APPLICATION, Limits, Quota, Window
from services.importer.quota import budget as decisions
from services.importer.quota.budget import Budget, Busy, Call, Exhausted, Granted, Rules

RETRY_SECONDS = 0.02
Wait = Generator[float, None, None]


@dataclass
class World:
    """A practice, its callers' budget, and a clock that moves from one event to the next.

    `latency` is the longest that a call takes, `stall` the longest that a process stands still once in fifty steps;
    `skew` is by how much the processes' clocks differ, all in seconds.
    """

    limits: Limits
    rules: Rules
    random: Random
    latency: float = 0.05
    stall: float = 0.0
    skew: float = 0.0
    headers: bool = True
    late_headers: float = 0.5
    now: float = 1_000.0
    budget: Budget = field(default_factory=Budget)
    refused: list[str] = field(default_factory=list)
    used: Counter[int] = field(default_factory=Counter)
    waited: float = 0.0

    def __post_init__(self) -> None:
        clock = lambda: self.now  # noqa: E731
        self.quota = Quota(self.limits, Window(APPLICATION, 60, 0, clock), clock)
        self._names = count()

    def run(self, callers: list[Wait], until: float) -> None:
        """Let them act in turn until that moment."""
        order = count()
        due = [(self.now, next(order), caller) for caller in callers]
        heapq.heapify(due)
        while due and due[0][0] < until:
            self.now, _, caller = heapq.heappop(due)
            pause = next(caller, None)
            if pause is not None:
                heapq.heappush(due, (self.now + pause, next(order), caller))

    def caller(self, calls: int | None = None, *, for_person: bool = False) -> Wait:
        """One that makes so many calls, or goes on for ever."""
        skew = self.random.uniform(-self.skew, self.skew)
        made = 0
        while calls is None or made < calls:
            name = f"lease {next(self._names)}"
            opened = decisions.open_at(self.budget, self.rules, self.now + skew)
            self.budget, told = decisions.lease(
                opened, self.rules, self.now + skew, name, for_person=for_person
            )
            match told:
                case Busy():
                    yield RETRY_SECONDS
                case Exhausted(_, until):
                    yield max(until - self.now - skew, 0) + 0.005
                case Granted(number):
                    results: list[Call] = []
                    granted_at = self.now
                    for _ in range(number if calls is None else min(number, calls - made)):
                        yield self._hold_up()
                        if self.now > granted_at + self.rules.lease_seconds / 3:
                            break
                        yield from self._call(results, skew)
                        made += 1
                    yield self._hold_up()
                    opened = decisions.open_at(self.budget, self.rules, self.now + skew)
                    self.budget = decisions.report(opened, self.rules, self.now + skew, name, results)

    def other(self, every: float) -> Wait:
        """Another user of the same quota, who does not care."""
        while True:
            if self.quota.exceeded() is None:
                with self.quota.call():
                    pass
            yield every

    def _call(self, results: list[Call], skew: float) -> Wait:
        sent = self.now + skew
        yield self.random.uniform(0, self.latency / 2)
        exceeded = self.quota.exceeded()
        if exceeded is not None:
            self.refused.append(exceeded.problem)
            headers = {"x-minlimit-remaining": "0"}
        else:
            with self.quota.call():
                headers = self.quota.headers()
                self.used[self.window] += 1
                yield self.random.uniform(0, self.latency / 2)
                if self.random.random() < self.late_headers:
                    headers = self.quota.headers()
        left = {kind: int(headers.get(f"x-{kind[:3]}limit-remaining", 0)) for kind in ("minute", "day")}
        yield self._hold_up()
        results.append(
            Call(
                sent,
                self.now + skew,
                left["minute"] if self.headers else None,
                left["day"] if self.headers else None,
                refused_by=exceeded.problem if exceeded else None,
                retry_after=exceeded.retry_after if exceeded else None,
            )
        )

    @property
    def window(self) -> int:
        """The number of the minute that XPM is in."""
        return int((self.now - self.limits.phase) // self.limits.minute_seconds)

    def _hold_up(self) -> float:
        return self.random.uniform(0, self.stall) if self.random.random() < 0.02 else 0.0
