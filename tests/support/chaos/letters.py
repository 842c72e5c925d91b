"""Dead letters, and whether everything that was sent is there."""

from collections import Counter
from collections.abc import Sequence

from aiokafka.structs import ConsumerRecord

from schemas.codec import Unreadable, decode
from schemas.topics import JOURNAL, OUTCOMES, REQUESTS, Topic
from tests.support.chaos.evidence import Evidence
from tests.support.chaos.post import Sending
from tests.support.chaos.rubbish import home_of
from worker.deadletters import PREFIX
from worker.settings import Settings

READERS = {JOURNAL: ("resolver",), REQUESTS: ("importer", "notifier"), OUTCOMES: ("notifier",)}

Headers = tuple[tuple[str, bytes | None], ...]
Letter = tuple[str, str, str, bytes | None, bytes | None, Headers]
"""Group, place, why, key, value, headers."""


def everything_that_was_sent_is_there(sent: Sequence[Sending], evidence: Evidence) -> None:
    """As often as it was acknowledged, with its key and its headers."""
    there = Counter(
        (topic, record.key, record.value, tuple(record.headers))
        for topic, records in evidence.records.items()
        for record in records
    )
    lost = Counter((each.topic, each.key, each.value, tuple(each.headers)) for each in sent) - there
    assert lost == Counter()


def check_the_dead_letters(evidence: Evidence, settings: Settings) -> None:
    """Whoever reads a broken record keeps it once, byte for byte, and keeps nothing else."""
    for topic, groups in READERS.items():
        assert topic.dead_letters is not None
        broken = [
            (record, why)
            for record in evidence.records[topic]
            if (why := what_is_wrong(record, topic, settings)) is not None
        ]
        expected = {expected_letter(record, group, why) for record, why in broken for group in groups}
        if topic is REQUESTS:
            expected |= {
                expected_letter(record, "importer", "id_reused") for record in reused(evidence, settings)
            }
        kept = [letter_of(record) for record in evidence.records[topic.dead_letters]]
        assert set(kept) == expected


def what_is_wrong(record: ConsumerRecord, topic: Topic, settings: Settings) -> str | None:
    try:
        tenant_id = decode(record.value, topic).tenant_id.encode()
    except Unreadable as unreadable:
        return unreadable.why
    home = home_of(tenant_id, settings.partitions(topic))
    return None if (record.key, record.partition) == (tenant_id, home) else "misrouted"


def reused(evidence: Evidence, settings: Settings) -> list[ConsumerRecord]:
    """Requests under an id that stands for another request."""
    first: dict[tuple[str, str], bytes] = {}
    found = []
    for record in evidence.records[REQUESTS]:
        if what_is_wrong(record, REQUESTS, settings) is None:
            event = decode(record.value, REQUESTS)
            if first.setdefault((event.tenant_id, event.id), event.content) != event.content:
                found.append(record)
    return found


def expected_letter(record: ConsumerRecord, group: str, why: str) -> Letter:
    place = f"{record.partition}@{record.offset}"
    return group, place, why, record.key, record.value, tuple(record.headers)


def letter_of(record: ConsumerRecord) -> Letter:
    added = {
        name.removeprefix(PREFIX): value.decode() for name, value in record.headers if name.startswith(PREFIX)
    }
    own = tuple((name, value) for name, value in record.headers if not name.startswith(PREFIX))
    place = f"{added['partition']}@{added['offset']}"
    return added["group"], place, added["why"], record.key, record.value, own
