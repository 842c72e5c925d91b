"""Writers choose how they compress, each by its own client's default."""

import pytest

from tests.support.eventually import eventually
from tests.support.tally import Tally
from worker.routing import partition_of


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_a_record_is_read_however_it_was_compressed(tally: Tally, codec: str) -> None:
    """Kafka's four codecs are all understood: one that is not would stop its partition for ever."""
    partition = partition_of(b"t1", tally.settings.topic_partitions)
    await tally.send(tally.request("t1", "e1", "Ada " * 40), b"t1", [], partition, compression_type=codec)

    async with tally.running():
        await eventually(lambda: tally.has(1))

    [record] = await tally.results()
    assert record["result"] == "applied"
