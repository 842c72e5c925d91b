"""Doing for many tasks at once what each of them asks for alone: one statement, one transaction, one publication.

What is asked while one go is under way makes up the next one. So nobody waits for company: who comes alone goes alone,
and the more there is to do, the more is done in one go.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from worker.failures import Verdict, classify

REST_SECONDS = 0.04
"""From the beginning of a go to that of the next one in a crowd: those who are many wait for a little company."""
CROWD_SECONDS = 0.5
"""For so long after a go of several there is a crowd, though one of it may come alone now and then."""
COMPANY = 50
"""So many have company enough: hardly anything is saved by waiting for more."""

Asked = TypeVar("Asked")
Told = TypeVar("Told")


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Asked, Told]):
    asked: Asked
    told: "asyncio.Future[Told]"


class Together(Generic[Asked, Told]):
    """Calls `do` with what was asked, in order, one go at a time; it answers each, with an exception where it has one.

    A go holds no more than `most`, as `weigh` counts, unless that is a single one. What `do` raises is everybody's
    trouble if it passes. If it does not, each is tried alone, so that nobody fails by another's fault.
    """

    def __init__(
        self,
        do: Callable[[Sequence[Asked]], Awaitable[Sequence[Told | Exception]]],
        most: int,
        weigh: Callable[[Asked], int] = lambda _: 1,
        rest: float = REST_SECONDS,
    ) -> None:
        self._do = do
        self._most = most
        self._weigh = weigh
        self._rest = rest
        self._waiting: deque[_Waiting[Asked, Told]] = deque()
        self._going: asyncio.Task[None] | None = None
        self._in_company = asyncio.Event()
        self._begun = self._last_of_several = float("-inf")

    async def __call__(self, asked: Asked) -> Told:
        """Have it done with what others ask for. Who is cancelled does not keep it from being done."""
        told: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(asked, told))
        if len(self._waiting) >= COMPANY:
            self._in_company.set()
        if self._going is None:
            self._going = asyncio.create_task(self._go())
        return await told

    async def _go(self) -> None:
        clock = asyncio.get_running_loop().time
        try:
            while self._waiting:
                if clock() < self._last_of_several + CROWD_SECONDS:
                    await self._rest_until(self._begun + self._rest)
                self._begun, some = clock(), self._next()
                if len(some) > 1:
                    self._last_of_several = self._begun
                await self._answer(some)
        finally:
            self._going = None

    async def _rest_until(self, end: float) -> None:
        """Or until there are many; at least until those who were just answered can have asked again."""
        await asyncio.sleep(0)
        if len(self._waiting) < COMPANY and asyncio.get_running_loop().time() < end:
            self._in_company.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(end):
                    await self._in_company.wait()

    def _next(self) -> list[_Waiting[Asked, Told]]:
        """Those who have waited longest and are still waiting."""
        some: list[_Waiting[Asked, Told]] = []
        weight = 0
        while self._waiting:
            first = self._waiting[0]
            weight += self._weigh(first.asked)
            if some and weight > self._most:
                break
            self._waiting.popleft()
            some.append(first)
        return [each for each in some if not each.told.done()]

    async def _answer(self, some: Sequence[_Waiting[Asked, Told]]) -> None:
        if not some:
            return
        try:
            answers = await self._do([each.asked for each in some])
        except Exception as error:  # noqa: BLE001 - it is raised by those who asked
            if len(some) == 1 or classify(error) is not Verdict.BROKEN:
                answers = [error] * len(some)
            else:
                for each in some:
                    await self._answer([each])
                return
        for each, answer in zip(some, answers, strict=True):
            if each.told.done():
                continue
            if isinstance(answer, Exception):
                each.told.set_exception(answer)
            else:
                each.told.set_result(answer)
