"""The consumer loop on a real broker and a real database: once, in order, from where the database says."""

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from schemas.topics import REQUESTS
from tests.support.eventually import eventually
from tests.support.tally import Tally
from worker import redrive, takeover
from worker.failures import NotPublished, WrongLog
from worker.publisher import Publisher
from worker.records import Outgoing
from worker.routing import partition_of


async def test_every_record_is_applied_once_and_answered_once(tally: Tally) -> None:
    """What is on the topic takes effect once, and what follows from it is published once."""
    asked = await tally.ask(*((f"t{n % 7}", f"e{n}") for n in range(100)))

    async with tally.running():
        await eventually(lambda: tally.has(100))

    assert sorted(asked) == await tally.places()
    assert sorted(b'{"answers":"e%d"}' % n for n in range(100)) == sorted(
        each.value for each in await tally.published()
    )


async def test_effects_and_answers_of_a_key_are_in_order(tally: Tally) -> None:
    """Per key, records take effect in the order of the log, and so go the answers."""
    expected = [f"e{n}" for n in range(300)]
    await tally.ask(*(("t1", each) for each in expected))

    async with tally.running(batch_records=7):
        await eventually(lambda: tally.has(300))

    assert expected == [each["event_id"] for each in await tally.results()]
    assert [b'{"answers":"%s"}' % each.encode() for each in expected] == [
        each.value for each in await tally.published()
    ]


@pytest.mark.parametrize("tenants", [7, 1])
async def test_a_backlog_is_worked_off_in_transactions_at_once(tally: Tally, tenants: int) -> None:
    """Each has partitions of its own, so that every key stays in order, and everything takes effect once."""
    asked = await tally.ask(*((f"t{n % tenants}", f"e{n}") for n in range(900)))

    async with tally.running(batch_records=100):
        await eventually(lambda: tally.has(900))

    results = await tally.results()
    assert sorted(asked) == await tally.places()
    assert len({each["session"] for each in results}) > 1 or tenants == 1
    for tenant in range(tenants):
        expected = [f"e{n}" for n in range(tenant, 900, tenants)]
        assert expected == [each["event_id"] for each in results if each["tenant_id"] == f"t{tenant}"]
        answered = [each.value for each in await tally.published() if each.key == b"t%d" % tenant]
        assert [b'{"answers":"%s"}' % each.encode() for each in expected] == answered


async def test_batches_of_few_records_are_as_far_apart_as_the_projection_wants(tally: Tally) -> None:
    """What comes meanwhile, one by one, is one batch."""
    tally.projection.apart = 3.0
    async with tally.running():
        await tally.ask(("t0", "e0"))
        await eventually(lambda: tally.has(1))
        for number in range(1, 4):
            await tally.ask((f"t{number}", f"e{number}"))
        await eventually(lambda: tally.has(4))

    found = await tally.fetch("SELECT xmin::text AS stored_by FROM tally.records ORDER BY event_id")
    first, *others = (each["stored_by"] for each in found)
    assert others == [others[0]] * 3
    assert first != others[0]


@pytest.mark.parametrize(("wish", "failed"), [("poison", 1), ("poison-sql", 1), ("cut", 0)])
async def test_trouble_in_one_transaction_costs_the_other_nothing(
    tally: Tally, wish: str, failed: int
) -> None:
    """A poisonous record is found beside a batch that goes on; a lost session has both taken up again."""
    wishes = {250: wish}
    asked = await tally.ask(*((f"t{n % 7}", f"e{n}", wishes.get(n, "Ada")) for n in range(500)))

    async with tally.running(batch_records=100):
        await eventually(lambda: tally.has(500))

    assert sorted(asked) == await tally.places()
    assert [each["event_id"] for each in await tally.results() if each["result"] == "failed"] == ["e250"][
        :failed
    ]


async def test_a_stop_leaves_nothing_to_be_done_again(tally: Tally) -> None:
    """After a stop in order everything applied is published and noted, and the next start finds the group free."""
    await tally.ask(("t1", "e1"))
    async with tally.running():
        await eventually(lambda: tally.has(1))

    assert all(each["applied_to"] == each["published_to"] for each in await tally.positions())

    await tally.ask(("t1", "e2"))
    async with tally.running():
        await eventually(lambda: tally.has(2), timeout=8)


async def test_what_was_committed_and_never_published_is_published_after_the_crash(tally: Tally) -> None:
    """A position whose answers are not all out has them published again, with the same bytes, before anything new."""
    await tally.ask(("t1", "e1"), ("t1", "e2"))
    async with tally.running():
        await eventually(lambda: tally.has(2))
    await tally.execute("UPDATE tally.positions SET published_to = 0")
    await tally.ask(("t1", "e3"))

    async with tally.running():
        await eventually(lambda: tally.has(3))

    assert [b'{"answers":"%s"}' % each for each in (b"e1", b"e2", b"e1", b"e2", b"e3")] == [
        each.value for each in await tally.published()
    ]


async def test_much_that_was_never_published_goes_out_in_parts_that_are_noted(
    tally: Tally, monkeypatch
) -> None:
    """Whoever has to leave off in the midst of it goes on from there, and nothing is left out."""
    monkeypatch.setattr(takeover, "OFFSETS_AT_ONCE", 10)
    await tally.ask(*(("t1", f"e{number}") for number in range(50)))
    async with tally.running():
        await eventually(lambda: tally.has(50))
    await tally.execute("UPDATE tally.positions SET published_to = 0")

    published, parts = Publisher.publish, 0

    async def fail_at_the_third(publisher: Publisher, events: Sequence[Outgoing]) -> None:
        nonlocal parts
        parts += bool(events)
        if parts == 3:
            raise NotPublished("the broker is away")
        await published(publisher, events)

    monkeypatch.setattr(Publisher, "publish", fail_at_the_third)
    async with tally.running():
        await eventually(lambda: all_is_out(tally))

    again = [each.value for each in await tally.published()][50:]
    assert again == [b'{"answers":"e%d"}' % number for number in range(50)]
    assert parts == 6


async def all_is_out(tally: Tally) -> bool:
    return all(each["published_to"] == each["applied_to"] for each in await tally.positions())


async def test_a_copy_for_another_group_is_passed_by(tally: Tally) -> None:
    """A redriven record is for the group that kept it as a dead letter; to all others it is not there."""
    partition = partition_of(b"t1", 2)
    for number, group in enumerate((b"another", b"tally", b"another")):
        value = tally.request("t1", f"e{number}")
        await tally.send(value, b"t1", [(redrive.GROUP, group)], partition)
    await tally.send(b"{", b"t1", [(redrive.GROUP, b"another")], partition)

    async with tally.running():
        await eventually(tally.is_at_the_end, timeout=20)

    assert [each["event_id"] for each in await tally.results()] == ["e1"]
    assert await tally.published(REQUESTS.dead_letters) == []


async def test_offsets_in_kafka_that_are_ahead_skip_nothing(tally: Tally) -> None:
    """Where to read is what the database says, whatever was committed to Kafka for the group."""
    await tally.ask(*(("t1", f"e{n}") for n in range(10)))
    async with AIOKafkaConsumer(
        bootstrap_servers=tally.settings.kafka,
        group_id=tally.settings.group_name("tally"),
        enable_auto_commit=False,
    ) as other:
        places = [TopicPartition(tally.requests, each) for each in range(2)]
        other.assign(places)
        await other.commit(dict.fromkeys(places, 10))

    async with tally.running():
        await eventually(lambda: tally.has(10))


async def test_a_database_from_an_older_backup_is_read_up_again(tally: Tally) -> None:
    """If the position goes back under a running process, it reads from there again."""
    await tally.ask(*(("t1", f"e{n}") for n in range(5)))
    async with tally.running():
        await eventually(lambda: tally.has(5))
        await tally.execute(
            """
            BEGIN;
            DELETE FROM tally.records WHERE "offset" >= 2;
            UPDATE tally.positions SET applied_to = 2, published_to = 2 WHERE applied_to > 2;
            COMMIT;
            """
        )
        await tally.ask(("t1", "e5"))
        await eventually(lambda: tally.has(6))

    assert [f"e{n}" for n in range(6)] == [each["event_id"] for each in await tally.results()]


async def test_what_is_no_record_is_stepped_over(tally: Tally) -> None:
    """Aborted transactions of other producers have no effect, and positions don't stay behind control records."""
    async with AIOKafkaProducer(
        bootstrap_servers=tally.settings.kafka, transactional_id=tally.settings.topic_prefix
    ) as other:
        async with other.transaction():
            await other.send(tally.requests, tally.request("t1", "e1"), key=b"t1")
        await other.begin_transaction()
        await other.send_and_wait(tally.requests, tally.request("t1", "e2"), key=b"t1")
        await other.abort_transaction()

    async with tally.running():
        await eventually(lambda: tally.has(1))
        await eventually(tally.is_at_the_end)

    assert [each["event_id"] for each in await tally.results()] == ["e1"]


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        ("cluster_id = 'another'", "belongs to the Kafka cluster another"),
        ("epoch = 7", "belongs to epoch 7"),
        ("applied_to = 1000, published_to = 1000", "ends at offset"),
    ],
)
async def test_a_log_that_is_not_the_positions_own_stops_the_process(
    tally: Tally, spoilt: str, said: str
) -> None:
    """Another cluster, another epoch or a log that ends too early means a wrong topic: nothing is read from it."""
    await tally.ask(("t1", "e1"))
    async with tally.running():
        await eventually(lambda: tally.has(1))
    await tally.execute(f"UPDATE tally.positions SET {spoilt} WHERE applied_to > 0")
    await tally.ask(("t1", "e2"))

    with pytest.raises(WrongLog, match=said):
        await asyncio.wait_for(tally.until_it_ends(), 10)

    assert await tally.has(1)


async def test_a_log_that_has_lost_its_beginning_stops_the_process(tally: Tally) -> None:
    """Records that were deleted before they were applied are a loss, and are not passed over."""
    await tally.ask(("t1", "e1"))
    async with tally.running():
        await eventually(lambda: tally.has(1))
    [(partition, _)] = await tally.ask(("t1", "e2"))
    await tally.ask(("t1", "e3"))
    await tally.delete_records(partition, before=2)

    with pytest.raises(WrongLog, match=r"begins at offset 2, and records from 1 on were never applied"):
        await asyncio.wait_for(tally.until_it_ends(), 10)


async def test_a_zombie_that_holds_the_positions_only_delays(tally: Tally) -> None:
    """A process that still holds the lock of a position is waited for, and its work is not done again."""
    await tally.ask(("t1", "e1"))
    async with tally.running():
        await eventually(lambda: tally.has(1))
        zombie = await asyncpg.connect(tally.settings.postgres_dsn.get_secret_value())
        transaction = zombie.transaction()
        await transaction.start()
        await zombie.execute("SELECT FROM tally.positions FOR UPDATE")
        [(partition, offset)] = await tally.ask(("t1", "e2"))
        await zombie.execute(
            "UPDATE tally.positions SET applied_to = $2 WHERE partition = $1", partition, offset + 1
        )
        await transaction.commit()
        await zombie.close()
        await tally.ask(("t1", "e3"))
        await eventually(lambda: tally.has(2))

    assert [each["event_id"] for each in await tally.results()] == ["e1", "e3"]
