"""What goes into the model, and what comes out of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.envelope import EventData

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """One journal record. `timestamp` is the broker's, in milliseconds; `data` is None if it cannot be read.

    `broken` says that the record is readable and that the resolver itself breaks on it.
    """

    partition: int
    offset: int
    timestamp: int
    tenant_id: str = ""
    event_id: str = ""
    data: EventData | None = None
    document: Mapping[str, Any] = field(default_factory=dict)
    unreadable: str | None = None
    broken: bool = False

    @property
    def content(self) -> str:
        """What makes two records equal: type, subject and data, as parsed."""
        parts = [self.document["type"], self.document["subject"], self.document["data"]]
        return json.dumps(parts, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Replaced:
    """One field whose value an import replaced; `of` is `client` or `member`."""

    of: str
    id: str
    field: str
    before: str
    after: str


class Sentence:
    """Equal to any text for people: the rules fix the reason, not the words."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sentence) or (isinstance(other, str) and bool(other))

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "<a sentence>"


class Refused(Exception):
    """A rule refuses the record. `fails_import` names an import that fails with it, if it is open."""

    def __init__(
        self,
        reason: str,
        *,
        fails_import: str | None = None,
        earlier: Row | None = None,
        present: Mapping[str, Row] | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fails_import = fails_import
        self.earlier = earlier
        self.present = present
