"""How much one may ask for in a minute: a bucket each that fills up steadily."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from services.portal.problems import too_many

KEPT = 10_000
"""The most buckets that are remembered; the one that was used least lately is forgotten first."""


class Limit:
    """So many a minute for each key, all at once if need be. Of this process: several allow several times as many."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = float(per_minute)
        self._per_second = per_minute / 60
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> None:
        """Take one. Raises `Problem` where there is none left, which says when there will be."""
        now = self._clock()
        left, at = self._buckets.pop(key, (self._size, now))
        left = min(self._size, left + (now - at) * self._per_second)
        self._buckets[key] = (max(left - 1, 0.0) if left >= 1 else left, now)
        if len(self._buckets) > KEPT:
            self._buckets.popitem(last=False)
        if left < 1:
            raise too_many(math.ceil((1 - left) / self._per_second))
