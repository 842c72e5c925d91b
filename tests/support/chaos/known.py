"""What a portal knows of its items and members: it has followed the outcomes from the first one on."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.codec import Unreadable, decode
from schemas.outcomes import OutcomeRecorded
from schemas.topics import OUTCOMES
from worker.settings import Settings

AGAIN_AFTER_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Thing:
    """An item or a member: its client, and the digest that a decision on it has to carry as seen."""

    client_id: str
    digest: str
    usable: bool
    """An item: whether it is pending. A member: whether it is there."""


Things = dict[str, Thing]


@dataclass
class Known:
    """Follows the outcomes; an outcome that comes again changes nothing, since the version is compared."""

    settings: Settings
    items: dict[str, Things] = field(default_factory=lambda: defaultdict(dict))
    members: dict[str, Things] = field(default_factory=lambda: defaultdict(dict))
    _versions: dict[str, int] = field(default_factory=dict)
    _positions: dict[TopicPartition, int] = field(default_factory=dict)

    async def follow(self) -> None:
        """Runs until cancelled."""
        while True:
            try:
                async with AIOKafkaConsumer(bootstrap_servers=self.settings.kafka) as consumer:
                    await self._listen(consumer)
            except (KafkaError, OSError, TimeoutError):
                await asyncio.sleep(AGAIN_AFTER_SECONDS)

    async def _listen(self, consumer: AIOKafkaConsumer) -> None:
        name = self.settings.topic_name(OUTCOMES)
        places = [TopicPartition(name, number) for number in range(self.settings.partitions(OUTCOMES))]
        consumer.assign(places)
        for place in places:
            consumer.seek(place, self._positions.get(place, 0))
        while True:
            for place, records in (await consumer.getmany(timeout_ms=500)).items():
                for record in records:
                    self._take(record.value)
                self._positions[place] = records[-1].offset + 1

    def _take(self, value: bytes | None) -> None:
        try:
            event = decode(value, OUTCOMES)
        except Unreadable:
            return
        assert isinstance(event.data, OutcomeRecorded)
        outcome, tenant_id = event.data, event.tenant_id
        if outcome.version.offset < self._versions.get(tenant_id, 0):
            return
        self._versions[tenant_id] = outcome.version.offset
        if outcome.client_id is None:
            return
        for item in outcome.items:
            self.items[tenant_id][item.item_id] = Thing(
                outcome.client_id, item.digest, item.state == "pending"
            )
        for member in outcome.members:
            self.members[tenant_id][member.member_id] = Thing(
                outcome.client_id, member.digest, not member.removed
            )
