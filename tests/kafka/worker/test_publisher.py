"""Publishing on a real broker."""

import asyncio

import pytest
from aiokafka.errors import KafkaError

from schemas.topics import MAX_EVENT_BYTES, PROGRESS
from tests.support.tally import Tally
from worker.failures import NotPublished
from worker.publisher import EVENT_HEADERS, Letter, Publisher, TooLarge
from worker.records import Outgoing
from worker.routing import partition_of
from worker.topics import MAX_DEAD_LETTER_BYTES


async def test_events_arrive_under_their_key_in_order(tally: Tally) -> None:
    """Also when they fill many batches: each on the partition of its key, with its content type."""
    events = [Outgoing(PROGRESS, f"t{number % 5}", b"%06d" % number + b"." * 1000) for number in range(2000)]
    publisher = Publisher(tally.settings, "tests")
    await asyncio.gather(publisher.publish(events[:1000]), publisher.publish([]))
    await publisher.publish(events[1000:])
    await publisher.close()

    found = await tally.published()
    assert len(found) == len(events)
    for tenant_id in {each.tenant_id for each in events}:
        mine = [each for each in found if each.key == tenant_id.encode()]
        assert [each.value for each in mine] == [each.value for each in events if each.tenant_id == tenant_id]
        assert {each.partition for each in mine} == {partition_of(tenant_id.encode(), 2)}
        assert all(list(each.headers) == EVENT_HEADERS for each in mine)


async def test_after_a_failure_publishing_goes_on(tally: Tally) -> None:
    """A producer whose batch was refused is out of sequence for good; a new one takes its place."""
    publisher = Publisher(tally.settings, "tests")
    await publisher.publish([Outgoing(PROGRESS, "t1", b"first")])
    refused = Letter(PROGRESS, b"t1", b"x" * MAX_DEAD_LETTER_BYTES, EVENT_HEADERS)

    with pytest.raises(NotPublished) as failed:
        await publisher.send([refused])
    assert isinstance(failed.value.__cause__, KafkaError)
    await publisher.publish([Outgoing(PROGRESS, "t1", b"second")])
    await publisher.close()

    assert [each.value for each in await tally.published()] == [b"first", b"second"]


async def test_an_event_that_no_reader_would_take_is_refused(tally: Tally) -> None:
    """Nothing of the publication goes out, and it says so before anything is stored."""
    publisher = Publisher(tally.settings, "tests")
    events = [Outgoing(PROGRESS, "t1", b"fine"), Outgoing(PROGRESS, "t1", b"x" * (MAX_EVENT_BYTES + 1))]

    with pytest.raises(TooLarge):
        await publisher.publish(events)
    await publisher.close()

    assert await tally.published() == []


async def test_waiting_for_the_brokers_has_a_limit(tally: Tally) -> None:
    """An idempotent producer would try for ever; here the caller hears of it."""
    nowhere = tally.settings.model_copy(update={"topic_prefix": "nowhere.", "publish_seconds": 0.5})
    publisher = Publisher(nowhere, "tests")

    with pytest.raises(NotPublished, match="1 records"):
        await asyncio.wait_for(publisher.publish([Outgoing(PROGRESS, "t1", b"lost")]), 8)
    await publisher.close()
