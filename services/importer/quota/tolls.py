"""What every call to XPM goes through: it takes a lease, or waits for one, and reports how it was answered.

A process keeps a lease for a moment after a call, since the next call often follows at once. Reports are made in the
background; a process that dies leaves its leases to run out.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import httpx
import structlog

from services.importer.quota import metrics
from services.importer.quota.application import Application
from services.importer.quota.booth import Booth, Purpose, throttled
from services.importer.quota.budget import Call
from services.importer.quota.ledger import Ledger
from services.importer.xpm.errors import SourceUnavailable
from worker.failures import describe

log = structlog.get_logger(__name__)

CLOSING_SECONDS = 3.0
_GIVEN_UP = (asyncio.CancelledError, GeneratorExit, httpx.ReadTimeout, httpx.WriteTimeout, SourceUnavailable)
"""We went, and XPM may still be at it."""
_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(slots=True)
class Toll:
    """A call under way: whoever makes it says what the head of its answer was. `now` is the database's time."""

    now: Callable[[], float]
    sent: float
    call: Call | None = None
    status: int | None = None
    application_left: int | None = None

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """What a header does not say is unknown, and so is what one says of a call that may not have been counted."""
        refused_by = headers.get("x-rate-limit-problem", "").strip().lower()
        self.status = status
        self.application_left = _number(headers, "x-appminlimit-remaining")
        self.call = Call(
            self.sent,
            self.now(),
            minute_left=_number(headers, "x-minlimit-remaining") if status == HTTPStatus.OK else None,
            day_left=_number(headers, "x-daylimit-remaining") if status == HTTPStatus.OK else None,
            refused_by=(refused_by or "unknown") if status == HTTPStatus.TOO_MANY_REQUESTS else None,
            retry_after=_number(headers, "retry-after"),
        )


Road = Callable[[str], AbstractAsyncContextManager[Toll]]
"""Lets a call to a practice pass, by Xero's id of it. Raises `Throttled` if it may not."""


class Tolls:
    """The tolls of all practices in one process; a context that gives back its leases at the end."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._application = Application(time.monotonic)
        self._booths: dict[str, Booth] = {}
        self._background: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for booth in self._booths.values():
            booth.close()
        if self._background:
            await asyncio.wait(self._background, timeout=CLOSING_SECONDS)

    def road(self, purpose: Purpose) -> Road:
        """The road for calls of a purpose."""
        return lambda practice: self.call(practice, purpose)

    def ahead(self, practice: str) -> int:
        """Imports of the practice that are worth having in hand at once, though few of them may call at once."""
        booth = self._booths.get(practice)
        return booth.ahead() if booth else 0

    @asynccontextmanager
    async def call(self, practice: str, purpose: Purpose) -> AsyncIterator[Toll]:
        """Make one call within the block, to the last byte of its answer. Raises `Throttled`."""
        if pause := self._application.pause(for_person=purpose == "person"):
            metrics.WAITS.labels(purpose, "appminute").inc()
            raise throttled("appminute", pause)
        booth = self._booths.setdefault(practice, Booth(self._ledger, practice, self._spawn))
        held = await booth.enter(purpose)
        toll = Toll(self._ledger.now, self._ledger.now())
        given_up = False
        try:
            yield toll
        except _GIVEN_UP:
            given_up = True
            raise
        finally:
            booth.leave(held, toll.call or Call(toll.sent, self._ledger.now()), given_up=given_up)
            self._note(toll, purpose)

    def _note(self, toll: Toll, purpose: Purpose) -> None:
        metrics.CALLS.labels(purpose, toll.status or "none").inc()
        refused_by = toll.call.refused_by if toll.call else None
        retry_after = toll.call.retry_after if toll.call else None
        self._application.heard(
            toll.application_left, refused=refused_by == "appminute", retry_after=retry_after
        )
        if refused_by is not None:
            metrics.REFUSED.labels(refused_by).inc()

    def _spawn(self, report: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._reported(report))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _reported(self, report: Coroutine[Any, Any, None]) -> None:
        try:
            await report
        except Exception as error:  # noqa: BLE001 - whatever it is, the lease runs out by itself
            metrics.UNREPORTED.inc()
            log.warning("quota_not_reported", error=describe(error))


@asynccontextmanager
async def free(_practice: str) -> AsyncIterator[Toll]:
    """A road without a toll, for what has no quota."""
    yield Toll(time.monotonic, time.monotonic())


def _number(headers: Mapping[str, str], name: str) -> int | None:
    """A whole number that is not negative; whatever else stands there is unknown."""
    text = headers.get(name, "").strip()
    return int(text) if _NUMBER.fullmatch(text) else None
