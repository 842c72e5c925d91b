"""What the importer made of the requests, as it lies in the journal."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.structs import ConsumerRecord

from schemas.codec import Event, Unreadable, decode
from schemas.fields import timestamp
from schemas.imports import (
    EntityStaged,
    ImportFailed,
    ImportRequested,
    ImportStaged,
    ImportStarted,
    ImportWaiting,
    ItemStaged,
)
from schemas.topics import JOURNAL, REQUESTS, Topic
from tests.support.chaos.evidence import Evidence
from tests.support.chaos.rubbish import home_of

IMPORTER = "/muster/importer"
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Placed:
    """A readable event where it lies."""

    record: ConsumerRecord
    event: Event[Any]

    @property
    def content(self) -> str:
        document = json.loads(self.record.value)
        return json.dumps([document["type"], document["subject"], document["data"]], sort_keys=True)


def check_the_importer(evidence: Evidence, partitions: int) -> None:
    """Every request ended once, with a set that is complete and that is the same however often it was published."""
    asked = first_requests(evidence, partitions)
    facts = [each for each in readable(evidence, JOURNAL) if each.event.source == IMPORTER]
    no_id_has_two_contents(facts)
    courses = courses_of(facts)
    assert courses.keys() == asked.keys()
    for key, request in asked.items():
        the_course_is_whole(request, courses[key])
    clients_are_served_one_import_at_a_time(asked, facts)


def readable(evidence: Evidence, topic: Topic) -> Iterator[Placed]:
    for record in evidence.records[topic]:
        try:
            yield Placed(record, decode(record.value, topic))
        except Unreadable:
            continue


def first_requests(evidence: Evidence, partitions: int) -> Mapping[Key, Placed]:
    """The requests that count: where they belong, the first of each id."""
    first: dict[Key, Placed] = {}
    for each in readable(evidence, REQUESTS):
        tenant = each.event.tenant_id.encode()
        if each.record.key == tenant and each.record.partition == home_of(tenant, partitions):
            first.setdefault((each.event.tenant_id, each.event.id), each)
    return first


def no_id_has_two_contents(events: Sequence[Placed]) -> None:
    contents: dict[Key, str] = {}
    for each in events:
        key = (each.event.tenant_id, each.event.id)
        assert contents.setdefault(key, each.content) == each.content, key


def courses_of(facts: Sequence[Placed]) -> Mapping[Key, Sequence[Event[Any]]]:
    """The facts of each import in the order in which they appeared first."""
    courses: dict[Key, dict[str, Event[Any]]] = {}
    for each in facts:
        if hasattr(each.event.data, "import_id"):
            key = (each.event.tenant_id, each.event.data.import_id)
            courses.setdefault(key, {}).setdefault(each.event.id, each.event)
    return {key: list(course.values()) for key, course in courses.items()}


def the_course_is_whole(request: Placed, course: Sequence[Event[Any]]) -> None:
    """Started, perhaps waiting, and then a failure alone or all that was staged, with a list that is right."""
    asked = request.event.data
    assert isinstance(asked, ImportRequested)
    waits = [each for each in course[1:] if isinstance(each.data, ImportWaiting)]
    ending = [each.data for each in course[1:] if not isinstance(each.data, ImportWaiting)]
    assert isinstance(course[0].data, ImportStarted)
    assert list(course[1 : 1 + len(waits)]) == waits
    for event in course:
        assert event.causation_id == request.event.id
        assert event.data.client_id == asked.client_id
        assert event.data.requested_at == timestamp(request.record.timestamp)
    if isinstance(ending[0], ImportFailed):
        assert len(ending) == 1
        return
    entity, *items, staged = ending
    assert isinstance(entity, EntityStaged)
    assert isinstance(staged, ImportStaged)
    assert all(isinstance(item, ItemStaged) for item in items)
    assert [item.item_id for item in items] == staged.item_ids


def clients_are_served_one_import_at_a_time(asked: Mapping[Key, Placed], facts: Sequence[Placed]) -> None:
    """In the order of the requests, and each begins when the one before has ended."""
    order: dict[Key, dict[str, str]] = {}
    for each in facts:
        if hasattr(each.event.data, "import_id"):
            client = (each.event.tenant_id, each.event.data.client_id)
            order.setdefault(client, {}).setdefault(each.event.id, each.event.data.import_id)
    wanted: dict[Key, list[str]] = {}
    for (tenant_id, import_id), each in asked.items():
        wanted.setdefault((tenant_id, each.event.data.client_id), []).append(import_id)
    for client, served in order.items():
        assert list(dict.fromkeys(served.values())) == wanted[client]
        assert list(served.values()) == sorted(served.values(), key=wanted[client].index)
