"""The resolver writes its outcomes as plain JSON; every one of them is what the contract says an outcome is."""

import json
from collections.abc import Iterable
from typing import Any

import orjson
import pytest

from schemas.codec import Event
from schemas.outcomes import OutcomeRecorded
from schemas.publishing import documents
from schemas.topics import JOURNAL, MAX_EVENT_BYTES, OUTCOMES
from services.resolver.domain.fold import JournalRecord, Verdict, fold
from services.resolver.domain.reasons import REASONS
from services.resolver.domain.state import World
from tests.support.events import reading
from tests.support.journals.entries import Entry, document, encoded
from tests.support.journals.strategies import seeded
from tests.support.jsonschemas import validator
from worker.records import Failed

OUTCOME = validator(documents.schemas()[OutcomeRecorded.TYPE])
JOURNALS, STEPS = 24, 60


def folded(entries: Iterable[Entry], world: World | None = None) -> list[Verdict]:
    return fold(world or World(swap=3), [_record(entry) for entry in entries])


@pytest.fixture(scope="module")
def verdicts() -> list[Verdict]:
    """What journals full of collisions come to."""
    return [verdict for seed in range(JOURNALS) for verdict in folded(seeded(seed, STEPS).entries)]


def test_every_outcome_is_what_the_contract_says(verdicts: list[Verdict]) -> None:
    """Readable by the reader and valid by the schema, whatever the record came to."""
    told = [value for verdict in verdicts for value in verdict.outcomes]

    assert len(told) > JOURNALS * STEPS
    for value in told:
        assert isinstance(reading(value, OUTCOMES), Event), value
        OUTCOME.validate(json.loads(value))


def test_outcomes_of_every_kind_were_looked_at(verdicts: list[Verdict]) -> None:
    """Each type applied and refused, each reason given, each field of an outcome filled in."""
    read = [reading(value, OUTCOMES) for verdict in verdicts for value in verdict.outcomes]
    answers = {(event.data.record.type, event.data.result) for event in read}
    fields = set().union(*(_paths(event.data.model_dump(exclude_none=True)) for event in read))

    assert answers >= {(event.TYPE, "applied") for event in JOURNAL.types}
    assert {"applied", "rejected", "failed"} == {result for _, result in answers}
    assert REASONS.keys() - {verdict.reason for verdict in verdicts} == set()
    assert {
        "earlier.attached_by",
        "personal.item.name",
        "personal.member.name",
        "imports.waiting.until",
    } <= fields
    assert {"personal.replaced.before", "members.digest", "items.reason", "client.created"} <= fields


def test_an_outcome_too_large_for_a_record_comes_in_parts() -> None:
    """Thousands of items that an import withdraws are told in records that can be read."""
    verdicts = folded(_withdrawing(4000))
    told = [reading(value, OUTCOMES) for value in verdicts[-1].outcomes]

    assert len(told) > 1
    assert [event.data.part for event in told] == list(range(len(told)))
    assert {event.data.parts for event in told} == {len(told)}
    assert sum(len(event.data.items) for event in told) == 4000
    for value in verdicts[-1].outcomes:
        assert len(value) < MAX_EVENT_BYTES / 4
        OUTCOME.validate(json.loads(value))


def test_the_example_of_an_outcome_is_what_the_examples_come_to() -> None:
    """The examples of the docs are one import, and its outcome is the one that the resolver tells."""
    examples = documents.examples()
    staged, expected = examples["muster.item.staged.v1"], examples[OutcomeRecorded.TYPE]
    items = examples["muster.import.staged.v1"]["data"]["item_ids"]
    others = [_other(staged, item, f"another-{item}") for item in items if item != staged["data"]["item_id"]]
    names = (
        "client.added",
        "member.recorded",
        "import.started",
        "import.waiting",
        "entity.staged",
        "item.staged",
    )
    told = [examples[f"muster.{name}.v1"] for name in names] + others
    told += [examples[f"muster.{name}.v1"] for name in ("import.staged", "item.imported")]
    ends = expected["data"]["version"]["offset"] + 1
    at = 1_795_424_659_383

    verdicts = folded(
        (
            Entry(10, ends - len(told) + number, at, "harbour-lane", orjson.dumps(record))
            for number, record in enumerate(told)
        ),
        World(),
    )

    assert [verdict.result for verdict in verdicts] == ["applied"] * len(told)
    assert json.loads(verdicts[-1].outcomes[0]) == expected


def _other(staged: dict[str, Any], item_id: str, party: str) -> dict[str, Any]:
    data = staged["data"] | {"item_id": item_id, "xpm_party_id": party}
    return staged | {"id": f"staged-{party}", "data": data}


def _withdrawing(count: int) -> list[Entry]:
    """One import that stages very many, and one that brings none of them."""
    at = "2026-11-23T09:00:00.000Z"
    first, second = ({"import_id": each, "client_id": "c1", "requested_at": at} for each in ("i1", "i2"))
    told: list[tuple[str, dict[str, Any]]] = [
        (
            "client.added",
            {"client_id": "c1", "xpm_client_id": "x1", "personal": {"name": "Tidewater Pty Ltd"}},
        ),
        ("import.started", first | {"xpm_client_id": "x1", "requested_by": "Ines Falk"}),
    ]
    told += [
        (
            "item.staged",
            first
            | {
                "item_id": f"item-{number}",
                "xpm_client_id": "x1",
                "xpm_party_id": f"p{number}",
                "relationship": {"type": "Shareholder"},
                "personal": {"name": "Wren Adeyemi"},
            },
        )
        for number in range(count)
    ]
    told += [
        ("import.started", second | {"xpm_client_id": "x1", "requested_by": "Ines Falk"}),
        ("import.staged", second | {"xpm_client_id": "x1", "item_ids": [], "left_out": {}}),
    ]
    return [
        Entry(
            partition=0,
            offset=offset,
            timestamp=1_795_424_400_000 + offset,
            tenant_id="north",
            value=encoded(document("north", f"e{offset}", f"muster.{name}.v1", "s", data)),
        )
        for offset, (name, data) in enumerate(told)
    ]


def _record(entry: Entry) -> JournalRecord:
    content = entry.incoming().content
    broken = isinstance(content, Failed)
    event = content.event if isinstance(content, Failed) else content
    if isinstance(event, Event):
        return JournalRecord(entry.partition, entry.offset, entry.timestamp, event, broken=broken)
    return JournalRecord(entry.partition, entry.offset, entry.timestamp, None, unreadable=event.why)


def _paths(node: Any, where: str = "") -> set[str]:
    if isinstance(node, list):
        return {path for each in node for path in _paths(each, where)}
    if isinstance(node, dict):
        return {path for name, each in node.items() for path in _paths(each, f"{where}.{name}".lstrip("."))}
    return {where}
