"""The made-up journals are worth something: they reach every rule. And they are what they were made from."""

from pathlib import Path

import pytest

from tests.support.journals import entries
from tests.support.journals.reach import (
    EFFECTS,
    IMPORT_CHANGES,
    ITEM_CHANGES,
    REFUSALS,
    RESULTS,
    UNREADABLE,
    Reach,
    reach,
)
from tests.support.journals.strategies import seeded
from tests.support.model.fold import Model


@pytest.fixture(scope="module")
def reached() -> Reach:
    """What 200 journals of 40 steps reach together."""
    return reach(seeded(seed, 40) for seed in range(200))


def test_every_result_is_reached(reached: Reach) -> None:
    """Applied, rejected, repeated, failed and unreadable, this last for every reason that a small record can have."""
    assert reached.results == RESULTS
    assert reached.unreadable == UNREADABLE


def test_every_refusal_is_reached(reached: Reach) -> None:
    """Each type of event is applied, and refused for each reason that the rules have for it and for no other."""
    assert reached.refusals == REFUSALS


def test_every_change_of_state_is_reached(reached: Reach) -> None:
    """Items and imports go from state to state in every way that the rules have, and in no other."""
    assert reached.item_changes == ITEM_CHANGES
    assert reached.import_changes == IMPORT_CHANGES


def test_every_effect_is_reached(reached: Reach) -> None:
    """E-mails are taken and freed, items withdrawn, fields replaced and kept, imports ended, in every way."""
    assert reached.effects == EFFECTS


def test_a_journal_is_kept_in_a_file(tmp_path: Path) -> None:
    """Written and read again, a journal is the same, and the model makes the same of it."""
    journal = seeded(7, 30)
    entries.write(tmp_path / "journal.jsonl", journal.entries)
    read = entries.read(tmp_path / "journal.jsonl")

    assert read == journal.entries
    model = Model(entry.record() for entry in read)
    assert model.answers == journal.answers
    assert model.tables() == journal.tables
