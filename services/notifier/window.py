"""The last events of a partition in memory, for all streams that follow it.

No stream has a queue of its own: each knows how far it has come and looks here for what is new. So memory is bounded
however many there are and however slow; one that falls behind what is kept here is caught up from Kafka.
"""

from collections import deque
from collections.abc import Iterator

from services.notifier.telling import Told

KEPT = 1000
"""Events per partition: about a megabyte, and more than a stream misses while a snapshot is sent."""


class Fallen(Exception):
    """The place lies before what is kept."""


class Window:
    """Everything from `begin` up to and not including `position`."""

    def __init__(self, position: int, kept: int = KEPT) -> None:
        self.begin = self.position = position
        self._kept = kept
        self._order: deque[Told] = deque()
        self._of_tenant: dict[str, deque[Told]] = {}

    def add(self, told: Told) -> None:
        """Take in the next event; the oldest one may fall out."""
        self._order.append(told)
        self._of_tenant.setdefault(told.tenant_id, deque()).append(told)
        self.position = told.offset + 1
        if len(self._order) > self._kept:
            self._forget(self._order.popleft())

    def move(self, position: int) -> None:
        """Everything before this position was looked at."""
        self.position = max(self.position, position)

    def since(self, tenant_id: str, position: int) -> list[Told]:
        """The tenant's events from this position on. Raises `Fallen`."""
        if position < self.begin:
            raise Fallen
        return list(reversed([*self._newest_first(tenant_id, position)]))

    def _newest_first(self, tenant_id: str, position: int) -> Iterator[Told]:
        for told in reversed(self._of_tenant.get(tenant_id, ())):
            if told.offset < position:
                return
            yield told

    def _forget(self, told: Told) -> None:
        self.begin = told.offset + 1
        of_tenant = self._of_tenant[told.tenant_id]
        of_tenant.popleft()
        if not of_tenant:
            del self._of_tenant[told.tenant_id]
