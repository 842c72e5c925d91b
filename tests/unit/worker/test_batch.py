"""Batches: fencing off what is applied, cutting in two, and dividing by partition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Unreadable
from schemas.topics import REQUESTS
from worker.batch import Batch, fence, halves, joined, only, place
from worker.failures import Rewind
from worker.positions import Position
from worker.records import Incoming, Span


def record(partition: int, offset: int) -> Incoming:
    return Incoming(REQUESTS, partition, offset, 0, None, None, (), Unreadable("not_json", ""))


def position(applied_to: int) -> Position:
    return Position("c", 1, applied_to, applied_to)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Batches over one to three partitions, with gaps between the records and after the last."""
    records, spans = [], []
    for partition in range(draw(st.integers(1, 3))):
        offsets = sorted(draw(st.sets(st.integers(10, 40), min_size=1, max_size=9)))
        records += [record(partition, offset) for offset in offsets]
        spans.append(Span(REQUESTS, partition, 10, offsets[-1] + 1 + draw(st.integers(0, 2))))
    return Batch(records, spans)


@given(batches(), st.integers(10, 60))
def test_a_fence_lets_through_what_is_at_the_position_or_above(batch: Batch, applied_to: int) -> None:
    """What is below is already in the database; a position never goes back."""
    positions = {where: position(applied_to) for where in batch.places}

    fresh = fence(batch, positions)

    assert list(fresh.records) == [each for each in batch.records if each.offset >= applied_to]
    assert all(span.until >= applied_to for span in fresh.spans)


@given(batches())
def test_a_position_behind_the_batch_means_reading_again(batch: Batch) -> None:
    """What lies between was never applied, so the batch must not be."""
    positions = {where: position(9) for where in batch.places}

    with pytest.raises(Rewind):
        fence(batch, positions)


def test_a_position_that_is_gone_means_taking_over_again() -> None:
    """Somebody emptied the table."""
    with pytest.raises(Rewind):
        fence(Batch([record(0, 10)], [Span(REQUESTS, 0, 10, 11)]), {})


@given(batches().filter(lambda batch: len(batch.records) > 1))
def test_halves_are_the_batch_in_order_without_gap_or_overlap(batch: Batch) -> None:
    """Applied one after the other they move the positions as the whole would."""
    first, second = halves(batch)

    assert [*first.records, *second.records] == list(batch.records)
    assert first.records
    assert second.records
    for whole, left, right in zip(batch.spans, first.spans, second.spans, strict=True):
        assert (whole.since, whole.until) == (left.since, right.until)
        assert left.until == right.since
    for half in (first, second):
        spans = {place(span): span for span in half.spans}
        assert all(
            spans[place(each)].since <= each.offset < spans[place(each)].until for each in half.records
        )


@given(batches(), st.sets(st.integers(0, 3)))
def test_what_a_batch_has_of_some_partitions_is_whole_and_in_order(
    batch: Batch, partitions: set[int]
) -> None:
    """And all the rest is of the others."""
    some = {where for where in batch.places if where[1] in partitions}

    chosen, rest = only(batch, some), only(batch, set(batch.places) - some)

    assert list(chosen.records) == [each for each in batch.records if place(each) in some]
    assert list(chosen.spans) == [each for each in batch.spans if place(each) in some]
    assert len(chosen.records) + len(rest.records) == len(batch.records)


@given(batches().filter(lambda batch: len(batch.records) > 1))
def test_what_was_halved_and_is_joined_is_the_batch(batch: Batch) -> None:
    """The spans grow together without a gap, and the records keep their order."""
    whole = joined(*halves(batch))

    assert list(whole.records) == list(batch.records)
    assert list(whole.spans) == list(batch.spans)


def test_a_partition_that_only_the_second_brings_is_in_both_joined() -> None:
    """What came in meanwhile may be of other partitions."""
    first = Batch([record(0, 10)], [Span(REQUESTS, 0, 10, 11)])
    then = Batch([record(1, 4), record(0, 11)], [Span(REQUESTS, 1, 4, 5), Span(REQUESTS, 0, 11, 12)])

    whole = joined(first, then)

    assert whole.spans == [Span(REQUESTS, 0, 10, 12), Span(REQUESTS, 1, 4, 5)]
    assert [each.offset for each in whole.records] == [10, 4, 11]
