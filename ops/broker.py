"""What operators ask Kafka: who is in a group, how far it has come, where a log begins and ends, what is on it."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CommitFailedError, GroupCoordinatorNotAvailableError, UnknownMemberIdError
from aiokafka.structs import ConsumerRecord

from ops.ending import Refused
from worker import clients
from worker.oddity import make_readable
from worker.settings import Settings

ANSWER_SECONDS = 10.0
COORDINATOR_SECONDS = 10.0
READ_SECONDS = 5.0

Offsets = dict[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Members:
    """The live members of a group, as Kafka knows them; `state` is Kafka's own word."""

    state: str
    clients: Sequence[str]

    @property
    def number(self) -> int:
        return len(self.clients)


class Broker:
    """An open connection. Use `asking`."""

    def __init__(self, settings: Settings, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer) -> None:
        self._settings = settings
        self._admin = admin
        self.consumer = consumer

    async def partitions(self) -> dict[str, int]:
        """How many partitions each topic has."""
        described = await self._admin.describe_topics()
        return {each["topic"]: len(each["partitions"]) for each in described if each["error_code"] == 0}

    async def cluster_id(self) -> str:
        return str((await self._admin.describe_cluster())["cluster_id"])

    async def groups(self) -> list[str]:
        """The names of all consumer groups."""
        return sorted(name for name, _ in await self._admin.list_consumer_groups())

    async def members(self, group: str) -> Members:
        """Who is in the group now."""
        coordinator = await self._coordinator(group)
        [response] = await self._admin.describe_consumer_groups([group], coordinator)
        [(_, _, state, _, _, members, *_)] = response.groups
        return Members(state, sorted(f"{client} at {host.lstrip('/')}" for _, client, host, *_ in members))

    async def committed(self, group: str) -> Offsets:
        """What the group has committed to Kafka."""
        found = await self._admin.list_consumer_group_offsets(group, await self._coordinator(group))
        return {place: each.offset for place, each in found.items() if each.offset >= 0}

    async def commit(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit for a group that nobody is in. Raises `Refused` if somebody is, by Kafka's own word."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka, group_id=group, enable_auto_commit=False
        )
        try:
            await clients.start(consumer)
            consumer.assign(list(offsets))
            async with asyncio.timeout(ANSWER_SECONDS):
                await consumer.commit(dict(offsets))
        except (CommitFailedError, UnknownMemberIdError):
            raise Refused(f"Somebody has joined the group {group} meanwhile; nothing was changed.") from None
        finally:
            await clients.stop(consumer)

    async def begins(self, places: Iterable[TopicPartition]) -> Offsets:
        found: Offsets = await self.consumer.beginning_offsets(list(places))
        return found

    async def ends(self, places: Iterable[TopicPartition]) -> Offsets:
        """Where the logs end for whoever reads what is committed."""
        found: Offsets = await self.consumer.end_offsets(list(places))
        return found

    async def at(self, places: Iterable[TopicPartition], milliseconds: int) -> Offsets:
        """The first offset of each log whose record is not older; its end where there is none."""
        wanted = list(places)
        found = await self.consumer.offsets_for_times(dict.fromkeys(wanted, milliseconds))
        ends = await self.ends(wanted)
        return {place: found[place].offset if found.get(place) else ends[place] for place in wanted}

    async def first(self, offsets: Mapping[TopicPartition, int]) -> dict[TopicPartition, ConsumerRecord]:
        """The first record of each log at or after the offset, where there is one by now."""
        wanted = dict(offsets)
        found: dict[TopicPartition, ConsumerRecord] = {}
        if not wanted:
            return found
        self.consumer.assign(list(wanted))
        for place, offset in wanted.items():
            self.consumer.seek(place, offset)
        try:
            async with asyncio.timeout(READ_SECONDS):
                while len(found) < len(wanted):
                    for place, records in (
                        await self.consumer.getmany(timeout_ms=200, max_records=500)
                    ).items():
                        found.setdefault(place, records[0])
                        self.consumer.pause(place)
        except TimeoutError:
            pass  # control records and aborted transactions are no records to anybody
        return found

    async def read(self, begins: Mapping[TopicPartition, int], ends: Offsets) -> AsyncIterator[Sequence[Any]]:
        """Everything between these offsets, in portions; in order per partition."""
        open_places = [place for place, begin in begins.items() if begin < ends[place]]
        if not open_places:
            return
        self.consumer.assign(open_places)
        for place in open_places:
            self.consumer.seek(place, begins[place])
        while open_places:
            fetched = await self.consumer.getmany(timeout_ms=200, max_records=5000)
            for place, records in fetched.items():
                yield [record for record in records if record.offset < ends[place]]
            for place in list(open_places):
                if await self.consumer.position(place) >= ends[place]:
                    open_places.remove(place)
                    self.consumer.pause(place)

    async def _coordinator(self, group: str) -> int:
        """A cluster that never had a group makes the topic for it first."""
        deadline = asyncio.get_running_loop().time() + COORDINATOR_SECONDS
        while True:
            try:
                return int(await self._admin.find_coordinator(group))
            except GroupCoordinatorNotAvailableError:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.2)


@asynccontextmanager
async def asking(settings: Settings) -> AsyncIterator[Broker]:
    """A connection to ask with."""
    make_readable()
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka, client_id="muster-operator")
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka,
        client_id="muster-operator",
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=8 * 1024 * 1024,
    )
    try:
        await clients.start(admin)
        await clients.start(consumer)
        yield Broker(settings, admin, consumer)
    finally:
        await clients.stop(consumer)
        await admin.close()
