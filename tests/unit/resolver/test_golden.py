"""The golden journal: what this release makes of it is written down, under the version of the rules."""

import json

import pytest

from services.resolver.domain.version import RULES_VERSION
from tests.support.journals import golden
from tests.support.journals.composer import Journal
from tests.support.journals.entries import Entry, read
from tests.support.journals.reach import reach
from tests.support.model.fold import Model
from tests.support.resolving.core import Core
from tests.support.resolving.outcomes import assert_told


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    return read(golden.JOURNAL)


def test_the_rules_make_of_it_what_their_version_made(entries: list[Entry]) -> None:
    """Other rows, answers or outcomes are other rules: raise RULES_VERSION, then write the checksums anew."""
    known = json.loads(golden.CHECKSUMS.read_text(encoding="utf-8"))

    assert known == {"rules": RULES_VERSION, **golden.checksums(entries)}


def test_it_reaches_every_rule(entries: list[Entry]) -> None:
    """Every reason for every type of event, every change of state; where it does not, a new one is to be found."""
    model = Model(entry.record() for entry in entries)

    assert len(reach([Journal(entries, model.answers, model.tables())])) == golden.ALL


def test_it_comes_out_as_the_model_says(entries: list[Entry]) -> None:
    """The checksums are of what the rules say, not of what the code happened to do."""
    model, core = Model(), Core()
    answers = [model.take(entry.record()) for entry in entries]
    for entry, answer, told in zip(entries, answers, core.take(entries), strict=True):
        assert_told(entry, answer, told)

    assert core.tables() == model.tables()
