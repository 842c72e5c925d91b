"""
What XPM told us, in our own words: small, checked, safe for the events and tables it goes into.

A blank and a missing element are the same, `None`. Every text fits the contract (`schemas.fields`): no control
characters but line breaks in addresses, no lone surrogates, nothing longer than the wire takes. Ids are lower case.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from schemas.fields import CalendarDate, DecimalText, EmailText, Identifier, Long, Name, Short

NAME_LENGTH = 300
SHORT_LENGTH = 100
LONG_LENGTH = 1_000
EMAIL_LENGTH = 320
SHARES_LIMIT = 2**63 - 1


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Remark(Record):
    """
    Something about an element that a person may want to know; it names the element and never quotes it.

    *unreadable*: it held a text of which no value could be made. *shortened*: it was longer than we keep.
    """

    element: str
    kind: Literal["unreadable", "shortened"]


class Details(Record):
    """
    What XPM holds about a person or entity, under the names that `PersonDetails` and `EntityDetails` give it.

    `name` is the display name as it stands, never split; `address` and `postal_address` have one line break per line.
    `email` is there only when it is no guess: see `reader`.
    """

    name: Name | None = None
    title: Short | None = None
    email: EmailText | None = None
    phone: Short | None = None
    date_of_birth: CalendarDate | None = None
    address: Long | None = None
    gender: Short | None = None
    postal_address: Long | None = None
    website: Long | None = None
    business_structure: Short | None = None
    company_number: Short | None = None
    business_number: Short | None = None


class Relationship(Record):
    """
    One tie between the client on whose record it stands and a party, in XPM's own word (`type`, see `directions`).

    The docs say that 0 shares or percent may mean "does not apply", so 0 is `None`.
    """

    xpm_relationship_id: Identifier | None = None
    type: Short
    xpm_party_id: Identifier
    party_name: Name | None = None
    start_date: CalendarDate | None = None
    end_date: CalendarDate | None = None
    number_of_shares: int | None = None
    percentage: DecimalText | None = None


class Client(Record):
    """
    A client record. Plain answers (`detailed=False`, `search`) bring no relationships.

    `number` is the id that version 3.0 uses in its paths and relationships, where an answer has both.

    Relationships without a party or a word cannot be staged: they are left aside and counted in
    `unreadable_relationships`.
    """

    xpm_client_id: Identifier
    number: Identifier | None = None
    details: Details
    relationships: tuple[Relationship, ...] = ()
    archived: bool = False
    deleted: bool = False
    unreadable_relationships: int = 0
    remarks: tuple[Remark, ...] = ()


class Connection(Record):
    """A practice that a token reaches; `xero_tenant_id` goes into the header of every call."""

    connection_id: Identifier
    xero_tenant_id: Identifier
    practice_name: Name
