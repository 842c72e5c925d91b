"""Keys and partitions."""

import pytest

from schemas.codec import Unreadable, decode
from schemas.topics import REQUESTS
from tests.support.tally import request
from worker.routing import check_route, partition_of

EVENT = decode(request("t1", "e1"), REQUESTS)


@pytest.mark.parametrize(
    ("key", "hashed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_partitions_are_those_of_java(key: bytes, hashed: int) -> None:
    """The hashes are those that Kafka's own tests of murmur2 expect (UtilsTest.testMurmur2)."""
    assert partition_of(key, 24) == (hashed & 0x7FFFFFFF) % 24


def test_a_record_under_its_tenant_on_its_partition_is_right() -> None:
    """Such a record passes."""
    check_route(EVENT, b"t1", partition_of(b"t1", 24), 24)


@pytest.mark.parametrize(
    ("key", "partition"),
    [(None, 0), (b"", 0), (b"t2", partition_of(b"t2", 24)), (b"t1", (partition_of(b"t1", 24) + 1) % 24)],
)
def test_any_other_key_or_partition_is_misrouted(key: bytes | None, partition: int) -> None:
    """Its order among the tenant's records would be by chance, or it would speak for another tenant."""
    with pytest.raises(Unreadable) as found:
        check_route(EVENT, key, partition, 24)

    assert found.value.why == "misrouted"
