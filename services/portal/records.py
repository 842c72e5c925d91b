"""What the portal shows, as read from the resolver's views."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import orjson
from asyncpg import Record

Details = Mapping[str, str]

FIELDS: Mapping[str, str] = {
    "name": "Name",
    "title": "Title",
    "relationship": "Relationship",
    "email": "E-mail",
    "phone": "Phone",
    "date_of_birth": "Date of birth",
    "address": "Address",
    "gender": "Gender",
    "postal_address": "Postal address",
    "website": "Website",
    "business_structure": "Business structure",
    "company_number": "Company number",
    "business_number": "Business number",
    "account_email": "Account e-mail",
}
"""The words for the fields, in the order in which screens show them."""
OF_SEVERAL_LINES = frozenset({"address", "postal_address"})
PERSON_FIELDS = ("name", "title", "email", "phone", "date_of_birth", "address", "gender")
MEMBER_FIELDS = ("name", "relationship", "title", "email", "phone", "date_of_birth", "address", "gender")

Source = Literal["imported", "linked", "portal"]


@dataclass(frozen=True, slots=True)
class Client:
    """A client of the practice. `pending` is how many people wait for a decision."""

    client_id: str
    xpm_client_id: str | None
    account_email: str | None
    details: Details
    provenance: Mapping[str, Mapping[str, str]]
    people: int
    pending: int
    import_status: str | None

    @property
    def name(self) -> str:
        return self.details["name"]

    @property
    def is_linked(self) -> bool:
        return self.xpm_client_id is not None

    @property
    def sort_name(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Tie:
    """A relationship of a member as XPM holds it, or held it."""

    type: str
    in_xpm: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A person or entity under a client, and where it came from."""

    member_id: str
    client_id: str
    co_owner: bool
    details: Details
    provenance: Mapping[str, Mapping[str, str]]
    digest: str
    source: Source
    decided_by: str | None
    decided_at: datetime | None
    ties: Sequence[Tie]

    @property
    def name(self) -> str:
        return self.details["name"]

    @property
    def is_linked(self) -> bool:
        return self.source != "portal"

    @property
    def kept(self) -> dict[str, str]:
        """The fields that an import would have replaced and did not: what XPM has for each."""
        return {
            field: origin["xpm"]
            for field, origin in self.provenance.items()
            if "xpm" in origin and origin["xpm"] != self.details.get(field)
        }

    @property
    def relationships(self) -> list[str]:
        """Its relationships in words: those of XPM, each once, and the portal's own word where it is another."""
        words = [tie.type for tie in self.ties]
        own = self.details.get("relationship")
        return list(dict.fromkeys([*([own] if own else []), *words]))

    @property
    def gone_from_xpm(self) -> list[str]:
        return [tie.type for tie in self.ties if not tie.in_xpm]


@dataclass(frozen=True, slots=True)
class Item:
    """One relationship that an import brought, and what became of it."""

    item_id: str
    client_id: str
    xpm_party_id: str
    state: str
    reason: str | None
    personal: Details
    relationship: Mapping[str, Any]
    archived: bool
    stub: bool
    details_as_of: datetime | None
    digest: str
    member_id: str | None
    decided_by: str | None
    decided_at: datetime | None
    ignored_before: bool

    @property
    def name(self) -> str:
        return self.personal["name"]

    @property
    def word(self) -> str:
        return str(self.relationship["type"])

    @property
    def values(self) -> dict[str, str]:
        """What a member would take from it."""
        return {**self.personal, "relationship": self.word}

    @property
    def sort_name(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Holder:
    """Who signs in with an e-mail."""

    client_id: str
    member_id: str | None
    client_name: str | None
    member_name: str | None

    @property
    def who(self) -> str:
        """In words: a co-owner by name, or the account of a client."""
        if self.member_id is None:
            return f"the account of {self.client_name}"
        return f"{self.member_name}, co-owner of {self.client_name}"


def client(row: Record) -> Client:
    return Client(
        client_id=row["client_id"],
        xpm_client_id=row["xpm_client_id"],
        account_email=row["account_email"],
        details=orjson.loads(row["details"]),
        provenance=orjson.loads(row["provenance"]),
        people=row["people"],
        pending=row["pending"],
        import_status=row["import_status"],
    )


def member(row: Record) -> Member:
    linked = row["xpm_party_id"] is not None
    return Member(
        member_id=row["member_id"],
        client_id=row["client_id"],
        co_owner=row["co_owner"],
        details=orjson.loads(row["details"]),
        provenance=orjson.loads(row["provenance"]),
        digest=row["digest"],
        source=("linked" if row["linked_as"] == "linked" else "imported") if linked else "portal",
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        ties=[Tie(**each) for each in orjson.loads(row["relationships"])],
    )


def item(row: Record) -> Item:
    return Item(
        item_id=row["item_id"],
        client_id=row["client_id"],
        xpm_party_id=row["xpm_party_id"],
        state=row["state"],
        reason=row["reason"],
        personal=orjson.loads(row["personal"]),
        relationship=orjson.loads(row["relationship"]),
        archived=row["archived"],
        stub=row["stub"],
        details_as_of=row["details_as_of"],
        digest=row["digest"],
        member_id=row["member_id"],
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        ignored_before=row["ignored"] is not None,
    )
