"""The journal that everybody is measured on."""

from collections import Counter

import orjson
import pytest

from benchmarks.journal import journal

RECORDS, DECIDED_AFTER = 40_000, 8_000
STAGED = "muster.item.staged.v1"


@pytest.fixture(scope="module")
def events() -> list[tuple[str, dict]]:
    return [(tenant, orjson.loads(event)) for tenant, event in journal(RECORDS, 50, DECIDED_AFTER)]


def test_sixty_are_stagings_thirty_decisions_and_ten_others(events):
    kinds = Counter(_kind(event["type"]) for _, event in events)
    shares = {kind: number / RECORDS for kind, number in kinds.items()}
    assert shares == pytest.approx({"staging": 0.6, "decision": 0.3, "other": 0.1}, abs=0.03)


def test_nine_of_ten_staged_items_are_distinct_and_some_are_staged_again(events):
    staged = [event["data"]["item_id"] for _, event in events if event["type"] == STAGED]
    assert 0.9 <= len(set(staged)) / len(staged) < 0.97


def test_a_decision_comes_long_after_its_staging(events):
    staged: dict[str, int] = {}
    waits = []
    for number, (_, event) in enumerate(events):
        item = event["data"].get("item_id")
        if event["type"] == STAGED:
            staged.setdefault(item, number)
        elif item:
            waits.append(number - staged[item])
    assert min(waits) >= DECIDED_AFTER


def test_a_seed_gives_the_same_journal_again():
    assert list(journal(500, 10, 100, seed=3)) == list(journal(500, 10, 100, seed=3))
    assert list(journal(500, 10, 100, seed=3)) != list(journal(500, 10, 100, seed=4))


def test_no_id_is_there_twice(events):
    assert len({event["id"] for _, event in events}) == RECORDS


def _kind(type_name: str) -> str:
    if type_name == STAGED:
        return "staging"
    return "decision" if type_name.startswith("muster.item.") else "other"
