"""What several tasks ask for at the same time is done in one go, and nobody pays for another."""

import asyncio
from collections.abc import Sequence

import pytest

from services.importer.together import COMPANY, Together
from worker.failures import NotPublished


class Counter:
    """Doubles numbers, and notes each go; a go waits until it is let go."""

    def __init__(self, *, error: Exception | None = None) -> None:
        self.goes: list[list[int]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.error = error

    async def __call__(self, some: Sequence[int]) -> list[int | Exception]:
        self.goes.append(list(some))
        await self.open.wait()
        if self.error is not None and 13 in some:
            raise self.error
        return [LookupError() if number == 0 else number * 2 for number in some]


async def test_who_comes_alone_goes_alone() -> None:
    """Without waiting for company."""
    count = Counter()
    together = Together(count, 10)
    assert [await together(number) for number in (1, 2)] == [2, 4]
    assert count.goes == [[1], [2]]


async def test_who_comes_while_others_are_under_way_is_in_the_next_go() -> None:
    """In order; each is answered for itself."""
    count = Counter()
    count.open.clear()
    together = Together(count, 10)
    asked = [asyncio.create_task(together(1))]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asked += [asyncio.create_task(together(number)) for number in (2, 0, 3)]
    await asyncio.sleep(0)
    count.open.set()
    first, second, nothing, third = await asyncio.gather(*asked, return_exceptions=True)
    assert (first, second, third) == (2, 4, 6)
    assert isinstance(nothing, LookupError)
    assert count.goes == [[1], [2, 0, 3]]


async def test_a_go_is_bounded_by_weight() -> None:
    """What is heavier than the bound goes by itself."""
    count = Counter()
    together = Together(count, 10, lambda number: number)
    await asyncio.gather(*(together(number) for number in (4, 6, 1, 50, 9, 2)))
    assert count.goes == [[4, 6], [1], [50], [9], [2]]


async def test_a_fault_of_one_is_nobody_else_s() -> None:
    """What breaks a go is looked for one by one."""
    count = Counter(error=ValueError())
    together = Together(count, 10)
    told = await asyncio.gather(*(together(number) for number in (1, 13, 2)), return_exceptions=True)
    assert (told[0], told[2]) == (2, 4)
    assert isinstance(told[1], ValueError)


async def test_trouble_that_passes_is_everybody_s() -> None:
    """Nobody is tried again while the database or Kafka is away."""
    count = Counter(error=NotPublished())
    together = Together(count, 10)
    told = await asyncio.gather(*(together(number) for number in (1, 13, 2)), return_exceptions=True)
    assert all(isinstance(each, NotPublished) for each in told)
    assert count.goes == [[1, 13, 2]]


async def test_who_has_gone_is_not_asked_for() -> None:
    """Neither does it keep the others from their answers."""
    count = Counter()
    count.open.clear()
    together = Together(count, 10)
    first = asyncio.create_task(together(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gone, stays = asyncio.create_task(together(2)), asyncio.create_task(together(3))
    await asyncio.sleep(0)
    first.cancel()
    gone.cancel()
    await asyncio.sleep(0)
    count.open.set()
    assert await stays == 6
    assert count.goes == [[1], [3]]
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_those_who_are_many_wait_for_company_and_who_is_alone_does_not() -> None:
    """From one go of several to the next there is a rest, in which others come along."""
    count, clock = Counter(), asyncio.get_running_loop().time
    together = Together(count, 10, rest=0.2)
    begun = clock()
    for number in (1, 2, 3):
        await together(number)
    assert clock() - begun < 0.2
    await asyncio.gather(together(4), together(5))
    resting = clock()
    first = asyncio.create_task(together(6))
    await asyncio.sleep(0.05)
    await asyncio.gather(first, together(7))
    assert count.goes == [[1], [2], [3], [4, 5], [6, 7]]
    assert clock() - resting > 0.1


async def test_in_a_crowd_nobody_goes_ahead_of_company() -> None:
    """One who comes alone between two goes of several rests as they do."""
    count, clock = Counter(), asyncio.get_running_loop().time
    together = Together(count, 10, rest=0.1)
    begun = clock()
    await asyncio.gather(together(1), together(2))
    for number in (3, 4):
        await together(number)
    assert count.goes == [[1, 2], [3], [4]]
    assert clock() - begun > 0.19


async def test_those_who_have_company_enough_wait_no_longer() -> None:
    """Whether they come all at once or the last of them while the others rest."""
    count, clock = Counter(), asyncio.get_running_loop().time
    together = Together(count, 10_000, rest=60)
    many = list(range(1, COMPANY + 1))
    begun = clock()
    await asyncio.gather(*map(together, many))
    await asyncio.gather(*map(together, many))
    resting = [asyncio.create_task(together(number)) for number in many[:-1]]
    await asyncio.sleep(0.01)
    assert len(count.goes) == 2
    await asyncio.gather(together(many[-1]), *resting)
    assert list(map(len, count.goes)) == [COMPANY] * 3
    assert clock() - begun < 30
