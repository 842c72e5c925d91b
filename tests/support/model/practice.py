"""The state of one tenant, and the questions that the rules ask of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.envelope import EventData
from tests.support.model.records import Record, Replaced, Row

OPEN = ("fetching", "ready_for_review", "in_review")
PERSON_FIELDS = ("name", "title", "email", "phone", "date_of_birth", "address", "gender")


@dataclass
class Practice:
    """Rows by id (links by client and party), with the columns of generation.sql; instants in milliseconds."""

    tenant_id: str
    clients: dict[str, Row] = field(default_factory=dict)
    members: dict[str, Row] = field(default_factory=dict)
    links: dict[tuple[str, str], Row] = field(default_factory=dict)
    items: dict[str, Row] = field(default_factory=dict)
    imports: dict[str, Row] = field(default_factory=dict)

    def items_of(self, client_id: str) -> list[Row]:
        return [item for item in self.items.values() if item["client_id"] == client_id]

    def link_of(self, member_id: str) -> Row | None:
        return next((link for link in self.links.values() if link["member_id"] == member_id), None)

    def open_imports(self) -> list[Row]:
        return [each for each in self.imports.values() if each["status"] in OPEN]

    def open_imports_that_hold(self, item: Row) -> list[Row]:
        return [each for each in self.open_imports() if holds(each, item)]

    def emails(self) -> dict[str, Row]:
        """Who holds which e-mail: co-owners their own, clients the one of their account."""
        held: dict[str, Row] = {}
        for email, client_id, member_id in self._holders():
            normalised = email.lower()
            assert normalised not in held, "two hold one e-mail"
            held[normalised] = {
                "tenant_id": self.tenant_id,
                "email": normalised,
                "client_id": client_id,
                "member_id": member_id,
            }
        return held

    def is_held_by_another(self, email: str, *, client_id: str, member_id: str | None) -> bool:
        holder = self.emails().get(email.lower())
        return holder is not None and (holder["client_id"], holder["member_id"]) != (client_id, member_id)

    def _holders(self) -> Iterator[tuple[str, str, str | None]]:
        for client in self.clients.values():
            if client["account_email"] is not None:
                yield client["account_email"], client["client_id"], None
        for member in self.members.values():
            if member["co_owner"]:
                yield member["details"]["email"], member["client_id"], member["member_id"]


def holds(run: Row, item: Row) -> bool:
    """Whether the item is in the import's list or, before there is one, was last staged by the import."""
    if run["client_id"] != item["client_id"]:
        return False
    if run["item_ids"] is None:
        return bool(item["import_id"] == run["import_id"])
    return item["item_id"] in run["item_ids"]


@dataclass
class Turn:
    """A record whose turn it is, and what is to be told of it besides the tables."""

    record: Record
    data: Any
    replaced: list[Replaced] = field(default_factory=list)

    @property
    def offset(self) -> int:
        return self.record.offset

    @property
    def at(self) -> int:
        return self.record.timestamp


def with_value(block: Any) -> Row:
    """The fields of a block that have a value."""
    return {name: value for name, value in block.model_dump().items() if value is not None}


def sent(block: Any) -> Row:
    """The fields of a block that were sent, null or not."""
    return {} if block is None else dict(block.model_dump(exclude_unset=True))


def was_sent(data: EventData, name: str) -> bool:
    return name in data.model_fields_set


def instant(text: str | None) -> int | None:
    """Milliseconds since 1970; what is finer is cut off."""
    if text is None:
        return None
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
