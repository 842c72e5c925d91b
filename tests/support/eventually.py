"""Waiting in tests: until something holds, with a limit, and with what was last seen when it never did."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(
    predicate: Callable[[], T | Awaitable[T]],
    timeout: float = 10.0,
    interval: float = 0.05,
    because: str = "",
) -> T:
    """Call the predicate until it returns something true, and return that; an exception counts as not yet.

    `timeout` and `interval` are seconds; an awaitable that hangs is cut off at the limit. Raises AssertionError
    with the last value, or from the last exception.
    """
    deadline = time.monotonic() + timeout
    seen: object = "it never returned"
    failure: Exception | None = None
    attempts = 0
    while True:
        attempts += 1
        try:
            value = predicate()
            if inspect.isawaitable(value):
                value = await asyncio.wait_for(value, max(deadline - time.monotonic(), interval))
            if value:
                return value
            seen, failure = value, None
        except Exception as error:  # noqa: BLE001  # whatever goes wrong before the limit is "not yet"
            seen, failure = error, error
        if time.monotonic() + interval > deadline:
            break
        await asyncio.sleep(interval)
    what = because or getattr(predicate, "__qualname__", repr(predicate))
    last = "error" if failure else "value"
    raise AssertionError(
        f"not within {timeout:g} s: {what}; {attempts} tries, last {last}: {seen!r}"
    ) from failure
