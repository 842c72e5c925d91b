"""The journal as it lies in Kafka, against everything that the resolver holds and has told."""

from collections import Counter
from collections.abc import Sequence

from aiokafka.structs import ConsumerRecord

from schemas.codec import Unreadable, decode
from schemas.topics import JOURNAL, OUTCOMES
from tests.support.chaos.evidence import Evidence
from tests.support.chaos.rubbish import home_of
from tests.support.journals.entries import Entry
from tests.support.model.fold import Answer, Model
from tests.support.resolving.outcomes import assert_told


def check_the_resolver(evidence: Evidence, partitions: int) -> None:
    """Each record once, its effects and its answer as the model has them, its outcomes out."""
    entries = [entry_of(record, partitions) for record in evidence.records[JOURNAL]]
    model = Model(entry.record() for entry in entries)
    every_record_came_to_one_thing(entries, evidence)
    no_id_is_claimed_twice(evidence)
    the_tables_are_the_models(model, evidence)
    the_answers_are_the_models(entries, model.answers, evidence)
    every_outcome_is_out(evidence)
    outcomes_come_in_the_order_of_the_journal(evidence)


def entry_of(record: ConsumerRecord, partitions: int) -> Entry:
    """What was read back, in the model's terms: whether it is where it belongs is worked out here."""
    value = record.value or b""
    try:
        tenant_id = decode(value, JOURNAL).tenant_id
    except Unreadable:
        tenant_id, misrouted = "", False
    else:
        home = home_of(tenant_id.encode(), partitions)
        misrouted = record.key != tenant_id.encode() or record.partition != home
    return Entry(record.partition, record.offset, record.timestamp, tenant_id, value, misrouted=misrouted)


def every_record_came_to_one_thing(entries: Sequence[Entry], evidence: Evidence) -> None:
    """One row of `decisions` with ordinal 0 for each record, and none for anything else."""
    places = Counter((row["partition"], row["offset"]) for row in evidence.decisions if row["ordinal"] == 0)
    assert places == Counter((entry.partition, entry.offset) for entry in entries)
    others = {(row["partition"], row["offset"]) for row in evidence.decisions}
    assert others == set(places)


def no_id_is_claimed_twice(evidence: Evidence) -> None:
    claims = Counter((row["tenant_id"], row["event_id"]) for row in evidence.decisions if row["claims_id"])
    assert [claim for claim, number in claims.items() if number > 1] == []


def the_tables_are_the_models(model: Model, evidence: Evidence) -> None:
    for name, rows in model.tables().items():
        assert rows == evidence.tables[name], name


def the_answers_are_the_models(
    entries: Sequence[Entry], answers: Sequence[Answer], evidence: Evidence
) -> None:
    for entry, answer in zip(entries, answers, strict=True):
        assert_told(entry, answer, evidence.told[entry.partition, entry.offset])


def every_outcome_is_out(evidence: Evidence) -> None:
    """What was published is what is stored, byte for byte; the same again at most."""
    stored = {row["outcome"].encode() for row in evidence.decisions if row["outcome"] is not None}
    assert stored == set(outcomes_of(evidence))


def outcomes_come_in_the_order_of_the_journal(evidence: Evidence) -> None:
    """For each tenant, without the repeats."""
    seen: dict[str, list[tuple[int, int, int]]] = {}
    for value in dict.fromkeys(outcomes_of(evidence)):
        event = decode(value, OUTCOMES)
        told = event.data.model_dump()
        version = (told["version"]["offset"], told["version"]["swap"], told["part"])
        seen.setdefault(event.tenant_id, []).append(version)
    for versions in seen.values():
        assert versions == sorted(set(versions))


def outcomes_of(evidence: Evidence) -> list[bytes]:
    """The outcomes in the order of the log, without the rubbish that was put among them."""
    return [record.value for record in evidence.records[OUTCOMES] if is_readable(record)]


def is_readable(record: ConsumerRecord) -> bool:
    try:
        decode(record.value, OUTCOMES)
    except Unreadable:
        return False
    return True
