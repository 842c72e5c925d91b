"""A batch, and the pure operations on it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from msgspec import structs

from schemas.codec import Event
from worker.failures import Rewind
from worker.positions import Place, Position
from worker.records import Failed, Incoming, Span


@dataclass(frozen=True, slots=True)
class Batch:
    """Records in order per partition, and for each partition the span of the log that they cover without a gap.

    A span may reach beyond its last record, over control records and aborted transactions of other producers.
    """

    records: Sequence[Incoming]
    spans: Sequence[Span]

    @property
    def places(self) -> list[Place]:
        return [place(span) for span in self.spans]

    @property
    def ends(self) -> dict[Place, int]:
        return {place(span): span.until for span in self.spans}


def place(of: Span | Incoming) -> Place:
    """Where a span or a record is, as positions name it."""
    return of.topic.name, of.partition


def fence(batch: Batch, positions: Mapping[Place, Position]) -> Batch:
    """Drop what is already applied. Raises `Rewind` where the position is behind the batch, or is gone."""
    for span in batch.spans:
        position = positions.get(place(span))
        if position is None or position.applied_to < span.since:
            raise Rewind(f"the position in {span.topic.name}[{span.partition}] is behind offset {span.since}")
    if all(positions[place(span)].applied_to == span.since for span in batch.spans):
        return batch
    return Batch(
        [each for each in batch.records if each.offset >= positions[place(each)].applied_to],
        [replace(span, until=max(span.until, positions[place(span)].applied_to)) for span in batch.spans],
    )


def only(batch: Batch, places: Collection[Place]) -> Batch:
    """What a batch has of some partitions."""
    return Batch(
        [record for record in batch.records if place(record) in places],
        [span for span in batch.spans if place(span) in places],
    )


def joined(first: Batch, then: Batch) -> Batch:
    """Both in one; the second begins in each partition where the first ends."""
    spans = {place(span): span for span in first.spans}
    for span in then.spans:
        before = spans.get(place(span))
        spans[place(span)] = span if before is None else replace(span, since=before.since)
    return Batch([*first.records, *then.records], list(spans.values()))


def halves(batch: Batch) -> tuple[Batch, Batch]:
    """Cut a batch of at least two records in two, to be applied one after the other."""
    middle = len(batch.records) // 2
    first, second = batch.records[:middle], batch.records[middle:]
    begins = {place(each): each.offset for each in reversed(second)}
    cuts = {place(span): begins.get(place(span), span.until) for span in batch.spans}
    return (
        Batch(first, [replace(span, until=cuts[place(span)]) for span in batch.spans]),
        Batch(second, [replace(span, since=cuts[place(span)]) for span in batch.spans]),
    )


def as_failed(batch: Batch, error: str) -> Batch:
    """The same batch, each readable record of it given as one on which the service breaks."""
    return replace(batch, records=[_failed(each, error) for each in batch.records])


def _failed(record: Incoming, error: str) -> Incoming:
    return (
        structs.replace(record, content=Failed(record.content, error))
        if isinstance(record.content, Event)
        else record
    )
