"""The journal that everybody is measured on: published, and remembered by its last record of each partition."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import orjson

from benchmarks.journal import journal
from benchmarks.place import Place
from schemas.topics import JOURNAL
from worker.publisher import Publisher
from worker.records import Outgoing
from worker.routing import partition_of

CHUNK = 20_000
DECIDED_AFTER = 50_000
"""Records between a staging and the decision on it."""


@dataclass(frozen=True, slots=True)
class Last:
    """The last record of a partition."""

    tenant: str
    subject: str
    id: str


@dataclass(frozen=True, slots=True)
class Filled:
    """What was published."""

    records: int
    bytes: int
    lasts: Mapping[int, Last]

    @property
    def mean_bytes(self) -> float:
        return self.bytes / self.records


async def fill(place: Place, records: int, tenants: int, seed: int = 7) -> Filled:
    """Publish a journal in which decisions come long after their stagings, as far as it is long enough for that."""
    return await publish(place, journal(records, tenants, min(DECIDED_AFTER, records // 4), seed))


async def publish(place: Place, events: Iterable[tuple[str, bytes]]) -> Filled:
    """Publish these events to the journal."""
    publisher = Publisher(place.settings, "bench")
    partitions = place.settings.partitions(JOURNAL)
    chunk: list[Outgoing] = []
    lasts: dict[int, tuple[str, bytes]] = {}
    records = size = 0
    for tenant_id, event in events:
        chunk.append(Outgoing(JOURNAL, tenant_id, event))
        lasts[partition_of(tenant_id.encode(), partitions)] = (tenant_id, event)
        records += 1
        size += len(event)
        if len(chunk) == CHUNK:
            await publisher.publish(chunk)
            chunk.clear()
    await publisher.publish(chunk)
    await publisher.close()
    return Filled(records, size, {where: _last(*what) for where, what in lasts.items()})


def _last(tenant_id: str, event: bytes) -> Last:
    document = orjson.loads(event)
    return Last(tenant_id, document["subject"], document["id"])
