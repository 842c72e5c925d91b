"""The journal so far, and the dice that decide how it goes on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from schemas.envelope import EventData
from tests.support.journals.entries import PARTITION_OF, Entry, document, encoded
from tests.support.model.fold import Answer, Model, Tables
from tests.support.model.practice import Practice

Option = TypeVar("Option")

FIRST_TIMESTAMP = 1_795_424_400_123
"""23 November 2026, 9 o'clock, and 123 milliseconds."""


LEGIBLE = 20_000
"""Characters of a journal that are shown where a test fails on it."""


class Dice:
    """Choices from thrown bytes. A byte of 0, and every one after the last, takes the first option: the simplest."""

    def __init__(self, thrown: bytes) -> None:
        self._thrown = iter(thrown)

    def pick(self, options: Sequence[Option]) -> Option:
        return options[next(self._thrown, 0) % len(options)]

    def one_in(self, number: int) -> bool:
        return self.pick(range(number)) == number - 1

    def some(self, options: Sequence[Option], *, leave_out_one_in: int) -> list[Option]:
        return [option for option in options if not self.one_in(leave_out_one_in)]


class Journal:
    """A journal, and what the model makes of it: an answer for each entry.

    No dataclass, because Hypothesis shows the fields of those instead of their `repr`.
    """

    def __init__(self, entries: list[Entry], answers: list[Answer], tables: Tables) -> None:
        self.entries = entries
        self.answers = answers
        self.tables = tables

    def __repr__(self) -> str:
        answered = zip(self.entries, self.answers, strict=True)
        text = "\n".join(f"{entry!r}: {answer.result} {answer.reason or ''}" for entry, answer in answered)
        return text if len(text) <= LEGIBLE else f"{text[: LEGIBLE // 2]}\n...\n{text[-LEGIBLE // 2 :]}"


class Composer:
    """Appends entries, each taken by the model at once, so that the next can depend on what is true by then."""

    def __init__(self) -> None:
        self.model = Model()
        self.entries: list[Entry] = []
        self.answers: list[Answer] = []
        self.forced_id: str | None = None
        self._ends: Counter[int] = Counter()
        self._ids: Counter[str] = Counter()
        self._clock = FIRST_TIMESTAMP

    def practice(self, tenant_id: str) -> Practice:
        return self.model.practice(tenant_id)

    def new_id(self, tenant_id: str, letter: str) -> str:
        """An id that the tenant has not used; other tenants may have."""
        self._ids[tenant_id + letter] += 1
        return f"{letter}{self._ids[tenant_id + letter]}"

    def emit(
        self, tenant_id: str, kind: type[EventData], data: Mapping[str, Any], event_id: str | None = None
    ) -> None:
        """Append an event, under the forced id if there is one."""
        its_id = event_id or self.forced_id or self.new_id(tenant_id, "e")
        self.forced_id = None
        subject = next((data[name] for name in ("item_id", "member_id", "client_id") if name in data), "none")
        self.append(tenant_id, encoded(document(tenant_id, its_id, kind.TYPE, subject, data)))

    def append(self, tenant_id: str, value: bytes, *, broken: bool = False, misrouted: bool = False) -> None:
        partition = PARTITION_OF[tenant_id]
        self._clock += 997
        entry = Entry(
            partition,
            self._ends[partition],
            self._clock,
            tenant_id,
            value,
            broken=broken,
            misrouted=misrouted,
        )
        self._ends[partition] += 1
        self.entries.append(entry)
        self.answers.append(self.model.take(entry.record()))

    def skip(self, tenant_id: str) -> None:
        """Leave a gap in the offsets, as a control record does."""
        self._ends[PARTITION_OF[tenant_id]] += 1

    def readable(self) -> list[Entry]:
        answered = zip(self.entries, self.answers, strict=True)
        return [entry for entry, answer in answered if answer.result != "unreadable"]

    def journal(self) -> Journal:
        return Journal(self.entries, self.answers, self.model.tables())
