"""Broken records of every kind, and whole ones that only look odd."""

import random
from collections.abc import Callable, Mapping

import orjson
from aiokafka.partitioner import DefaultPartitioner

from schemas.envelope import CONTENT_TYPE
from schemas.imports import ImportRequested
from schemas.outcomes import OutcomeRecorded
from schemas.portal import ClientAdded
from schemas.topics import JOURNAL, OUTCOMES, REQUESTS, Topic
from tests.support.chaos.post import EVENT, Sending
from worker.settings import Settings

NOT_UTF8 = b"\xff\xfe\x00"
ODD_HEADERS = (("content-type", CONTENT_TYPE.encode()), ("trace", NOT_UTF8), ("trace", b""))
TWO_MEGABYTES = 2 * 2**20
TYPES = {JOURNAL: ClientAdded.TYPE, REQUESTS: ImportRequested.TYPE, OUTCOMES: OutcomeRecorded.TYPE}

Make = Callable[[Topic, str, str], Sending]


def event(topic: Topic, tenant_id: str, event_id: str, name: str = "Ann", **changes: object) -> bytes:
    """An event that is not what it should be: no topic takes data of this shape but the journal."""
    document = {
        "specversion": "1.0",
        "id": event_id,
        "source": "/rubbish",
        "type": TYPES[topic],
        "time": "2026-11-23T09:00:00Z",
        "subject": "clients/odd",
        "datacontenttype": "application/json",
        "tenantid": tenant_id,
        "data": {
            "client_id": "odd",
            "requested_by": "Ann",
            "personal": {"name": name, "client_name": name[:1000]},
        },
    }
    return orjson.dumps(document | changes)


def plain(value: bytes | None) -> Make:
    return lambda topic, tenant_id, _: Sending(topic, tenant_id.encode(), value)


KINDS: Mapping[str, Make] = {
    "empty": plain(b""),
    "tombstone": plain(None),
    "not JSON": plain(b"{'client_id': 1}"),
    "not UTF-8": plain(b'{"id": "\xff"}'),
    "lone surrogate": plain(rb'{"id": "\ud800"}'),
    "no object": plain(b"[]"),
    "nested too deeply": plain(b"[" * 5000 + b"]" * 5000),
    "2 MB of nothing": plain(b" " * TWO_MEGABYTES),
    "2 MB": lambda topic, tenant_id, event_id: Sending(
        topic, tenant_id.encode(), event(topic, tenant_id, event_id, name="x" * TWO_MEGABYTES)
    ),
    "wrong schema": lambda topic, tenant_id, event_id: Sending(
        topic, tenant_id.encode(), event(topic, tenant_id, event_id, data={"client_id": 1})
    ),
    "NUL in text": lambda topic, tenant_id, event_id: Sending(
        topic, tenant_id.encode(), event(topic, tenant_id, event_id, name="An\0n")
    ),
    "unknown type": lambda topic, tenant_id, event_id: Sending(
        topic, tenant_id.encode(), event(topic, tenant_id, event_id, type="muster.unheard.of.v1")
    ),
    "another topic's type": lambda topic, tenant_id, event_id: Sending(
        topic,
        tenant_id.encode(),
        event(topic, tenant_id, event_id, type=TYPES[REQUESTS if topic is JOURNAL else JOURNAL]),
    ),
    "broken, with a header that is not UTF-8": lambda topic, tenant_id, _: Sending(
        topic, tenant_id.encode(), b"broken", ODD_HEADERS
    ),
    "another's key": lambda topic, tenant_id, event_id: Sending(
        topic, b"somebody-else", event(topic, tenant_id, event_id)
    ),
    "a key that is not UTF-8": lambda topic, tenant_id, event_id: Sending(
        topic, NOT_UTF8, event(topic, tenant_id, event_id)
    ),
    "no key": lambda topic, tenant_id, event_id: Sending(topic, None, event(topic, tenant_id, event_id)),
}


def rubbish(dice: random.Random, tenants: list[str], settings: Settings) -> list[Sending]:
    """Every kind once for each topic that is consumed, in any order, each for some tenant."""
    made = []
    for topic in TYPES:
        for number, make in enumerate((*KINDS.values(), elsewhere(settings.partitions(topic)))):
            made.append(make(topic, dice.choice(tenants), f"rubbish-{number}"))
    dice.shuffle(made)
    return made


def elsewhere(partitions: int) -> Make:
    """On a partition that is not its key's."""

    def make(topic: Topic, tenant_id: str, event_id: str) -> Sending:
        key = tenant_id.encode()
        return Sending(
            topic,
            key,
            event(topic, tenant_id, event_id),
            EVENT,
            (home_of(key, partitions) + 1) % partitions,
        )

    return make


def home_of(key: bytes, partitions: int) -> int:
    """The partition that Kafka's own producers choose for a key."""
    partition: int = DefaultPartitioner()(key, list(range(partitions)), list(range(partitions)))
    return partition


def odd_but_whole(tenant_id: str, event_id: str) -> Sending:
    """Nothing is wrong with it but a header, which nobody has to read: it takes effect."""
    return Sending(JOURNAL, tenant_id.encode(), event(JOURNAL, tenant_id, event_id), ODD_HEADERS)
