"""How each partition stands, told to Prometheus: how far it is applied and published, and what waits behind that."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from prometheus_client import Gauge

from worker import metrics
from worker.batch import Batch, place
from worker.positions import Place

TELL_EVERY_SECONDS = 1.0
GAUGES = (metrics.APPLIED_TO, metrics.PUBLISHED_TO, metrics.LAG_RECORDS, metrics.LAG_SECONDS)


class Lag:
    """Follows a share of the partitions. `waiting` counts the offsets that lie between what was read and the end."""

    def __init__(
        self, applied: Mapping[Place, int], published: Mapping[Place, int], waiting: Callable[[Place], int]
    ) -> None:
        self._applied = dict(applied)
        self._published = published
        self._waiting = waiting
        self._newest: dict[Place, int] = {}
        self._told_at = -TELL_EVERY_SECONDS
        self._gauges: dict[Place, Sequence[Gauge]] = {}

    def note(self, batch: Batch) -> None:
        """A batch was applied."""
        self._applied.update(batch.ends)
        self._newest.update({place(record): record.timestamp for record in batch.records})

    def tell(self) -> None:
        """Tell Prometheus, if it was not told just now."""
        if time.monotonic() - self._told_at < TELL_EVERY_SECONDS:
            return
        self._told_at = time.monotonic()
        for where, applied in self._applied.items():
            waiting = self._waiting(where)
            standing = applied, self._published[where], waiting, self._age(where) if waiting else 0
            for gauge, value in zip(self._gauges_of(where), standing, strict=True):
                gauge.set(value)

    def end(self) -> None:
        """Say nothing more of partitions that may be somebody else's now."""
        for topic, partition in self._applied:
            for gauge in GAUGES:
                with suppress(KeyError):
                    gauge.remove(topic, str(partition))

    def _gauges_of(self, where: Place) -> Sequence[Gauge]:
        """Looked up once: four for each partition, every second."""
        if where not in self._gauges:
            self._gauges[where] = [gauge.labels(where[0], str(where[1])) for gauge in GAUGES]
        return self._gauges[where]

    def _age(self, where: Place) -> float:
        return max(0.0, time.time() - self._newest[where] / 1000) if where in self._newest else 0.0
