"""Journals in batches, as the worker may come to hand them over."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.support.journals.composer import Journal
from tests.support.journals.entries import Entry
from tests.support.journals.strategies import journals


@dataclass(frozen=True, slots=True)
class Delivery:
    """The journal's records from `since` up to and not including `until` are given; nothing comes of a `lost` one."""

    since: int
    until: int
    lost: bool = False


def cuts() -> st.SearchStrategy[list[int]]:
    """Places to cut at; none of them, and everything is one batch."""
    return st.lists(st.integers(1, 60), max_size=8)


def cut(entries: Sequence[Entry], places: Sequence[int]) -> list[Sequence[Entry]]:
    """The entries in batches that end at these places; places beyond the end cut nothing."""
    ends = sorted({place for place in places if place < len(entries)} | {len(entries)})
    return [entries[since:until] for since, until in zip([0, *ends], ends, strict=False) if since < until]


def in_one_piece(entries: Sequence[Entry]) -> list[Delivery]:
    return [Delivery(0, len(entries))]


def one_by_one(entries: Sequence[Entry]) -> list[Delivery]:
    return [Delivery(place, place + 1) for place in range(len(entries))]


@st.composite
def delivered(draw: st.DrawFn) -> tuple[Journal, list[Delivery]]:
    """A journal in any batches, with records given again, and batches whose process dies before it commits."""
    journal = draw(journals())
    deliveries, done, end = [], 0, len(journal.entries)
    while done < end:
        since = done - draw(st.integers(0, done))
        until = min(end, done + draw(st.integers(1, 30)))
        lost = draw(st.sampled_from((False, False, False, True)))
        deliveries.append(Delivery(since, until, lost))
        done = done if lost else until
    return journal, [*deliveries, Delivery(draw(st.integers(0, end)), end)]
