"""Which partition a key belongs on: Java's murmur2, as aiokafka and Java producers compute it by default."""

from functools import lru_cache

from aiokafka.partitioner import murmur2

from schemas.codec import Event, Unreadable

LONGEST_KEPT_KEY = 64
"""A tenant's id has at most 64 bytes; longer keys are foreign, and not worth the memory."""


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key."""
    return _known(key, partitions) if len(key) <= LONGEST_KEPT_KEY else _computed(key, partitions)


def check_route(event: Event, key: bytes | None, partition: int, partitions: int) -> None:
    """Raise `Unreadable` unless the record's key is its tenant and it is on the key's partition."""
    if key != event.tenant_id.encode():
        raise Unreadable("misrouted", "the key is not the tenant's id")
    expected = partition_of(key, partitions)
    if partition != expected:
        raise Unreadable("misrouted", f"on partition {partition}, where its key belongs on {expected}")


def _computed(key: bytes, partitions: int) -> int:
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


_known = lru_cache(maxsize=100_000)(_computed)
"""murmur2 in Python takes longer than reading a record does."""
