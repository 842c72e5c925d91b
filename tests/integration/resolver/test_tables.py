"""The resolver on a real Postgres against the independent model: the same rows, however it comes to the records."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from tests.support.journals import golden
from tests.support.journals.composer import Journal
from tests.support.journals.cutting import Delivery, delivered, in_one_piece, one_by_one
from tests.support.journals.effort import effort
from tests.support.journals.entries import Entry, read
from tests.support.journals.strategies import journals
from tests.support.model.fold import Model
from tests.support.resolving.loop import PARTITIONS, Loop, resolving
from tests.support.resolving.outcomes import assert_before, assert_told

WHOLE_LOG = 2**31


@pytest.fixture(scope="module")
def golden_journal() -> Journal:
    """The journal that reaches every rule."""
    entries = read(golden.JOURNAL)
    model = Model(entry.record() for entry in entries)
    return Journal(entries, model.answers, model.tables())


async def assert_holds(loop: Loop, journal: Journal) -> None:
    """The rows are the model's, and so is what is stored as told of each record."""
    tables = await loop.tables()
    for name, rows in journal.tables.items():
        assert tables[name] == rows
    told, before = await loop.told(), await loop.before()
    for entry, answer in zip(journal.entries, journal.answers, strict=True):
        assert_told(entry, answer, told[entry.partition, entry.offset])
        assert_before(answer, before[entry.partition, entry.offset])
    assert len(told) == len(journal.entries)


async def hand_over(loop: Loop, deliveries: list[Delivery]) -> None:
    for delivery in deliveries:
        await loop.deliver(delivery)


@given(delivered())
@effort(12, slow=True)
async def test_batches_redelivery_and_deaths_do_not_matter(
    database: str, case: tuple[Journal, list[Delivery]]
) -> None:
    """Cut anywhere, given again from anywhere, dead before any commit: tables and decisions are the model's."""
    journal, deliveries = case
    note(journal)
    async with resolving(database, journal.entries) as loop:
        await hand_over(loop, deliveries)
        await assert_holds(loop, journal)


@given(delivered())
@effort(6, slow=True)
async def test_decisions_are_the_same_rows_whatever_the_batches(
    database: str, case: tuple[Journal, list[Delivery]]
) -> None:
    """Every column of every row of `decisions`, and what is published, byte for byte."""
    journal, deliveries = case
    note(journal)
    async with resolving(database, journal.entries) as loop:
        await hand_over(loop, in_one_piece(journal.entries))
        decisions, published = await loop.decisions(), loop.published
    async with resolving(database, journal.entries) as loop:
        await hand_over(loop, deliveries)

        assert await loop.decisions() == decisions
        assert loop.published == published


@pytest.mark.parametrize("handed_over", [in_one_piece, one_by_one])
async def test_the_golden_journal_comes_out_as_the_rules_say(
    database: str, golden_journal: Journal, handed_over: Callable[[Sequence[Entry]], list[Delivery]]
) -> None:
    """In one batch and record by record, all that the rules know."""
    async with resolving(database, golden_journal.entries) as loop:
        await hand_over(loop, handed_over(golden_journal.entries))
        await assert_holds(loop, golden_journal)


@given(journals(), st.integers(0, 80), st.integers(0, 80))
@effort(6, slow=True)
async def test_what_is_unpublished_is_what_was_told(
    database: str, journal: Journal, since: int, until: int
) -> None:
    """Of any span of the log, the same bytes in the same order as when they were applied."""
    note(journal)
    async with resolving(database, journal.entries) as loop:
        await hand_over(loop, one_by_one(journal.entries))
        for partition in PARTITIONS:
            whole = await loop.unpublished(partition, 0, WHOLE_LOG)
            assert loop.published[partition] == list(whole)
            parts = [
                each
                for start, end in ((0, since), (since, until), (until, WHOLE_LOG))
                for each in await loop.unpublished(partition, start, max(start, end))
            ]
            if since <= until:
                assert parts == list(whole)


async def test_a_repeat_publishes_the_first_outcome_again(database: str, golden_journal: Journal) -> None:
    """A repeated record is answered with the bytes that its first one was answered with."""
    async with resolving(database, golden_journal.entries) as loop:
        await hand_over(loop, in_one_piece(golden_journal.entries))
        repeats = [
            (entry.partition, entry.offset, answer.first_offset)
            for entry, answer in zip(golden_journal.entries, golden_journal.answers, strict=True)
            if answer.first_offset is not None
        ]
        assert repeats
        for partition, offset, first in repeats:
            again = await loop.unpublished(partition, offset, offset + 1)
            assert again
            assert again == await loop.unpublished(partition, first, first + 1)
