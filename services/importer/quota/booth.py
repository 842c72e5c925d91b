"""The calls of one process to one practice: who waits, and the leases at hand."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

from services.importer.quota import metrics
from services.importer.quota.budget import Busy, Call, Exhausted, Granted, Rules
from services.importer.quota.ledger import Ledger
from services.importer.xpm.errors import Throttled, ThrottleKind

Purpose = Literal["import", "person"]
"""Whom a call is for: an import, or a person who waits and may have what is kept for people."""

LINGER_SECONDS = 0.05
SOONEST_SECONDS, LATEST_SECONDS = 0.02, 0.5
"""Between two attempts while all calls at once are in use."""
PATIENCE: Mapping[Purpose, float] = {"import": 1.0, "person": 5.0}
"""Seconds that a call waits for the next window. Who would have to wait longer is told until when."""
PATIENCE_IN_A_CROWD: Mapping[Purpose, float] = {"import": 60.0, "person": 10.0}
"""Seconds that a call waits for others to end."""
A_MOMENT = 0.005
AHEAD_SECONDS = 1.0
"""Imports whose calls take so long altogether are worth having in hand: what they do beside is done together."""
MOST_AHEAD = 100
LATELY_SECONDS = 5.0
"""How quick a practice is, is known for so long."""

Spawn = Callable[[Coroutine[Any, Any, None]], None]


@dataclass(slots=True)
class Held:
    """A lease at hand: calls that may still be made on it, the one under way included, and those that were made."""

    name: str
    left: int
    made: list[Call] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None
    entered_at: float = 0.0

    def stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Booth:
    """Hands leases from call to call. `spawn` runs what need not be waited for."""

    def __init__(self, ledger: Ledger, practice: str, spawn: Spawn) -> None:
        self._ledger = ledger
        self._practice = practice
        self._spawn = spawn
        self._idle: list[Held] = []
        self._freed = asyncio.Event()
        self._turns: Mapping[Purpose, asyncio.Lock] = {"import": asyncio.Lock(), "person": asyncio.Lock()}
        self._leased = 0
        self._call_seconds = 0.0
        self._called_at = float("-inf")

    async def enter(self, purpose: Purpose) -> Held:
        """A lease for one call. Raises `Throttled` where waiting takes too long."""
        last_at = _clock() + PATIENCE_IN_A_CROWD[purpose]
        async with self._turns[purpose]:
            held = self._at_hand() or await self._lease(purpose, last_at)
        self._keep_while_running(held)
        held.entered_at = _clock()
        return held

    def ahead(self) -> int:
        """Imports that are worth having in hand at once: few where calls take long, none where nobody knows."""
        if _clock() - self._called_at > LATELY_SECONDS:
            return 0
        quick = AHEAD_SECONDS * _allowed(self._ledger.rules, "import") / max(self._call_seconds, 0.001)
        return min(int(quick), self._ledger.left(self._practice) // 2, MOST_AHEAD)

    def leave(self, held: Held, call: Call, *, given_up: bool) -> None:
        """A call has ended. One that was given up may go on at XPM's side: its place is not free yet."""
        self._note_time(held)
        held.stop_timer()
        held.made.append(call)
        held.left -= 1
        if given_up:
            self._let_go(held, running=0)
        elif held.left > 0:
            self._idle.append(held)
            held.timer = asyncio.get_running_loop().call_later(LINGER_SECONDS, self._give_back, held)
            self._freed.set()
        else:
            self._let_go(held)

    def close(self) -> None:
        """Give back what is at hand."""
        while (held := self._at_hand()) is not None:
            self._let_go(held)

    def _note_time(self, held: Held) -> None:
        """A call counts for a quarter of what is known."""
        self._called_at = _clock()
        seconds = self._called_at - held.entered_at
        self._call_seconds += (seconds - self._call_seconds) / (4 if self._call_seconds else 1)

    def _at_hand(self) -> Held | None:
        if not self._idle:
            return None
        held = self._idle.pop()
        held.stop_timer()
        return held

    async def _lease(self, purpose: Purpose, last_at: float) -> Held:
        attempt = 0
        while True:
            match await self._asked(purpose):
                case Held() as leased:
                    return leased
                case Exhausted(kind, until):
                    metrics.WAITS.labels(purpose, kind).inc()
                    await self._outlast(kind, until, purpose)
                case Busy():
                    metrics.WAITS.labels(purpose, "concurrent").inc()
                    if _clock() >= last_at:
                        raise throttled("concurrent", LATEST_SECONDS)
                    pause = min(SOONEST_SECONDS * 2**attempt, LATEST_SECONDS)
                    await self._freed_within(pause * (1 - random.random() / 2))  # noqa: S311 - not for secrets
                    attempt = min(attempt + 1, 10)
            if (held := self._at_hand()) is not None:
                return held

    async def _asked(self, purpose: Purpose) -> Held | Busy | Exhausted:
        """A new lease, if there is one. Who has all of them need not ask."""
        if self._leased >= _allowed(self._ledger.rules, purpose):
            return Busy()
        held = Held(str(uuid4()), 0)
        self._leased += 1
        try:
            answer = await self._ledger.lease(self._practice, held.name, for_person=purpose == "person")
        except BaseException:
            self._let_go(held)  # it may be leased all the same
            raise
        if isinstance(answer, Granted):
            metrics.LEASES.inc()
            held.left = answer.calls
            return held
        self._leased -= 1
        return answer

    async def _outlast(self, kind: ThrottleKind, until: float, purpose: Purpose) -> None:
        pause = max(until - self._ledger.now(), 0) + A_MOMENT
        if pause > PATIENCE[purpose]:
            raise throttled(kind, pause)
        await asyncio.sleep(pause)

    async def _freed_within(self, seconds: float) -> None:
        self._freed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._freed.wait()
        except TimeoutError:
            return

    def _give_back(self, held: Held) -> None:
        """Nobody has needed it for a moment."""
        if held in self._idle:
            self._idle.remove(held)
            held.timer = None
            self._let_go(held)

    def _let_go(self, held: Held, running: int | None = None) -> None:
        """Whoever waits asks for a lease now; that is decided after this report."""
        self._leased -= 1
        self._spawn(self._report(held, running))
        self._freed.set()

    async def _report(self, held: Held, running: int | None = None) -> None:
        made, held.made = held.made, []
        budget = await self._ledger.report(self._practice, held.name, made, running=running)
        day = budget.day
        if day is not None:
            metrics.DAY_LEFT.set(max(day.left, 0) / self._ledger.rules.day.allowed)

    def _keep_while_running(self, held: Held) -> None:
        """A call may take minutes: extend its lease, and let others have what it does not need."""
        seconds = self._ledger.rules.lease_seconds / 3
        held.timer = asyncio.get_running_loop().call_later(seconds, self._extend, held)

    def _extend(self, held: Held) -> None:
        held.left = 1
        self._spawn(self._report(held, running=1))
        self._keep_while_running(held)


def _clock() -> float:
    return asyncio.get_running_loop().time()


def _allowed(rules: Rules, purpose: Purpose) -> int:
    """Calls that may run at once for such a purpose: one is kept for people."""
    return rules.at_once if purpose == "person" else max(rules.at_once - 1, 1)


def throttled(kind: ThrottleKind, seconds: float) -> Throttled:
    """What a call raises that was not made, since XPM would have refused it."""
    return Throttled(kind, datetime.now(UTC) + timedelta(seconds=seconds), seconds, foreseen=True)
