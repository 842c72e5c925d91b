"""The resolver's pure core against the independent model, on made-up journals. `make fuzz` tries many more."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import event, given, note
from hypothesis import strategies as st

from tests.support.journals.composer import Journal
from tests.support.journals.cutting import cut, cuts
from tests.support.journals.effort import effort
from tests.support.journals.entries import Entry
from tests.support.journals.strategies import journals
from tests.support.model.fold import Tables
from tests.support.resolving.core import Core, Told
from tests.support.resolving.outcomes import assert_told


def fold(batches: Sequence[Sequence[Entry]]) -> tuple[list[Told], Tables]:
    core = Core()
    told = [each for batch in batches for each in core.take(batch)]
    return told, core.tables()


@given(journals())
@effort(100)
def test_the_resolver_does_what_the_rules_say(journal: Journal) -> None:
    """Tables, verdicts and outcomes equal the model's, record by record."""
    note(journal)
    told, tables = fold([journal.entries])

    for entry, answer, each in zip(journal.entries, journal.answers, told, strict=True):
        event(f"{answer.result} {answer.reason or ''}")
        assert_told(entry, answer, each)
    for name, rows in journal.tables.items():
        assert tables[name] == rows


@given(journals(), cuts())
@effort(30)
def test_batches_do_not_matter(journal: Journal, places: list[int]) -> None:
    """However the journal is cut, the same is told of each record, and the tables are the same."""
    note(journal)
    assert fold(cut(journal.entries, places)) == fold([journal.entries])


@given(journals())
@effort(20)
def test_a_journal_published_twice_takes_effect_once(journal: Journal) -> None:
    """Every record again, under its id: what claimed an id is repeated, what was refused for its id still is."""
    note(journal)
    end = 1 + max((entry.offset for entry in journal.entries), default=0)
    again = [replace(entry, offset=entry.offset + end) for entry in journal.entries]
    core = Core()
    first = core.take(journal.entries)
    before = core.tables()
    second = core.take(again)

    for entry, once, twice in zip(journal.entries, first, second, strict=True):
        expected = ("repeated", entry.offset) if once.claims_id else (once.result, once.first_offset)
        assert (twice.result, twice.first_offset) == expected
    assert core.tables() == before


@given(journals(), st.sampled_from(["north", "south", "east"]))
@effort(30)
def test_a_tenant_is_alone(journal: Journal, tenant_id: str) -> None:
    """What other tenants publish changes nothing of what a tenant's records come to."""
    note(journal)
    own = [entry for entry in journal.entries if entry.tenant_id == tenant_id]
    told, tables = fold([journal.entries])
    alone, alone_tables = fold([own])

    assert alone == [each for entry, each in zip(journal.entries, told, strict=True) if entry in own]
    for name, rows in alone_tables.items():
        assert rows == [row for row in tables[name] if row["tenant_id"] == tenant_id]
