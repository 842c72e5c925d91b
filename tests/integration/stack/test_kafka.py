"""The embedded Kafka: its records survive, its port is its own, and it needs the network only once."""

import contextlib
import socket
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from stack.broker import Broker
from stack.errors import StackError
from stack.kafka import EmbeddedKafka
from stack.ports import LOOPBACK
from tests.support.procfs import environment_of

TOPIC = "kept"


@contextlib.asynccontextmanager
async def admin(address):
    client = AIOKafkaAdminClient(bootstrap_servers=address)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def write(address, value):
    async with AIOKafkaProducer(bootstrap_servers=address, acks="all") as producer:
        await producer.send_and_wait(TOPIC, value)


async def read(address):
    async with AIOKafkaConsumer(TOPIC, bootstrap_servers=address, auto_offset_reset="earliest") as consumer:
        return (await consumer.getone()).value


async def test_records_survive_kill_9_and_the_port_stays(kafka):
    """After a kill it comes back where clients look for it, with every acknowledged record, and takes new ones."""
    await kafka.start()
    async with admin(kafka.address) as client:
        await client.create_topics([NewTopic(TOPIC, 3, 1)])
    await write(kafka.address, b"before")
    before = kafka.address

    await kafka.kill()
    await kafka.start()

    assert before == kafka.address
    assert await read(kafka.address) == b"before"
    await write(kafka.address, b"after")


async def test_topics_are_made_by_nobody_but_us(kafka_address):
    """Writing to a topic does not make it."""
    async with AIOKafkaProducer(bootstrap_servers=kafka_address, request_timeout_ms=1000) as producer:
        with pytest.raises(KafkaError):
            await producer.send("never-made", b"")

    async with admin(kafka_address) as client:
        assert "never-made" not in await client.list_topics()


async def test_a_port_taken_by_somebody_else_is_left_to_them(kafka):
    """Who came first keeps the port; the broker takes another, and says so to its clients."""
    await kafka.start()
    await kafka.stop()
    taken = kafka.port
    with socket.create_server((LOOPBACK, taken)):
        await kafka.start()

        assert kafka.port != taken
        async with admin(kafka.address) as client:
            [node] = (await client.describe_cluster())["brokers"]
            assert (LOOPBACK, kafka.port) == (node["host"], node["port"])


async def test_a_prepared_broker_starts_without_a_network(kafka, no_network):
    """Nothing is fetched twice: neither jars nor anything else."""
    await kafka.start()

    async with admin(kafka.address) as client:
        assert await client.list_topics() == []


class WithCacheAt(Broker):
    """A broker that has its cache where the test put one, and leaves the real one alone."""

    cache = Path()

    def keep(self, cache):
        cache.replace(self.cache)


async def test_a_damaged_cache_is_made_anew(tmp_path, broker):
    """What only makes it faster cannot keep it from starting, not even when Java itself falls over it."""
    await broker.provide()
    whole = broker.cache.read_bytes()
    quarter = len(whole) // 4
    damaged = WithCacheAt(broker.folder, lambda _: None, broker.mirror)
    damaged.cache = tmp_path / "damaged.aot"
    damaged.cache.write_bytes(whole[:quarter] + bytes(2 * quarter) + whole[3 * quarter :])
    kafka = EmbeddedKafka(tmp_path / "kafka", damaged)

    try:
        await kafka.start()
        async with admin(kafka.address) as client:
            assert await client.list_topics() == []
    finally:
        await kafka.stop()


async def test_data_that_was_never_finished_is_made_anew(kafka):
    """A kill in the middle of the first start leaves nothing in the way of the second."""
    unfinished = kafka.folder / "data.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "meta.properties").write_text("version=1\n")

    await kafka.start()

    async with admin(kafka.address) as client:
        assert await client.list_topics() == []


async def test_the_environment_does_not_change_java(monkeypatch, kafka):
    """Variables meant for other Java programs on the machine do not reach the broker."""
    unwanted = ("CLASSPATH", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS")
    for name in unwanted:
        monkeypatch.setenv(name, "-Dunwanted=true")
    await kafka.start()

    assert "unwanted" not in environment_of(kafka.process.pid)


async def test_a_folder_that_kafka_would_cut_in_two_is_refused(tmp_path, broker):
    """Kafka takes `log.dirs` for a list: it would begin to keep its data in two other places."""
    with pytest.raises(StackError, match="comma"):
        await EmbeddedKafka(tmp_path / "one,two", broker).start()

    assert not list(tmp_path.iterdir())
