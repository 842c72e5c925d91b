"""
Client records out of XPM's XML, as it streams in.

A value stands once it is there: absent, blank and repeated elements never take it away. An e-mail address is taken
only where that is no guess: if the client's own field holds anything, it decides; a blank one gives way to the primary
contact, then to the only contact with an address. Deleted contacts do not count.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from services.importer.xpm import records, values
from services.importer.xpm.elements import RECORD, Element, ElementStream, Limits
from services.importer.xpm.errors import SourceInvalid
from services.importer.xpm.records import Client, Details, Relationship, Remark

OK = "OK"
REFUSED = "ERROR"

NO_MORE_THAN = Limits()

Value = TypeVar("Value")

_PLACE = ("City", "Region", "PostCode")
_ADDRESS = ("Address", *_PLACE, "Country")
WANTED = frozenset(
    {"UUID", "Name", "Title", "Gender", "Email", "DateOfBirth", "Phone", "Website", "WebSite"}
    | {"IsArchived", "IsDeleted", "BusinessStructure", "CompanyNumber", "BusinessNumber"}
    | {"Contacts", "Relationships", *_ADDRESS, *(f"Postal{name}" for name in _ADDRESS)}
)


class Refused(Exception):
    """XPM understood the call and answered `ERROR`; what that means depends on what was asked."""


class ClientReader:
    """
    Feed it the bytes of an answer, take the clients as they are complete; `close` says that the answer has ended.

    Both raise `SourceInvalid`, and `Refused` once the answer says `ERROR`.
    """

    def __init__(self, limits: Limits = NO_MORE_THAN) -> None:
        self._elements = ElementStream(WANTED, limits)
        self._head = b""
        self._answered = False

    def feed(self, data: bytes) -> list[Client]:
        self._look_at_head(data)
        return self._read(self._elements.feed(data))

    def close(self) -> list[Client]:
        clients = self._read(self._elements.close())
        if not self._answered:
            raise SourceInvalid("an answer without a Status")
        return clients

    def _look_at_head(self, data: bytes) -> None:
        if not self._head:
            self._head = data.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")[:1]
            if self._head in (b"{", b"["):
                raise SourceInvalid("JSON where XML was asked for")

    def _read(self, elements: list[Element]) -> list[Client]:
        for element in elements:
            if element.name == "Status":
                self._take_status(element.text.strip().upper())
        return [client(element) for element in elements if element.name == RECORD]

    def _take_status(self, status: str) -> None:
        if status == REFUSED:
            raise Refused
        if status != OK:
            raise SourceInvalid("an unknown Status")
        self._answered = True


class _Fields:
    """The fields of an element, with remarks about those that could not be taken as they were."""

    def __init__(self, element: Element, remarks: list[Remark]) -> None:
        self._element = element
        self._remarks = remarks

    def line(self, name: str, limit: int = records.SHORT_LENGTH) -> str | None:
        return self._fitted(name, values.line(self._element.value(name)), limit)

    def value(self, name: str, read: Callable[[str], Value | None]) -> Value | None:
        text = self._element.value(name)
        try:
            return read(text) if text else None
        except ValueError:
            self._remarks.append(Remark(element=name, kind="unreadable"))
            return None

    def address(self, kind: str) -> str | None:
        street = values.lines(self._element.value(f"{kind}Address"))
        *place, country = (values.line(self._element.value(f"{kind}{name}")) for name in (*_PLACE, "Country"))
        return self._fitted(f"{kind}Address", values.address(street, place, country), records.LONG_LENGTH)

    def _fitted(self, name: str, text: str | None, limit: int) -> str | None:
        if text is None or len(text) <= limit:
            return text
        self._remarks.append(Remark(element=name, kind="shortened"))
        return values.shortened(text, limit)


def client(element: Element) -> Client:
    """A client record. Raises `SourceInvalid` for one without an id."""
    remarks: list[Remark] = []
    fields = _Fields(element, remarks)
    xpm_client_id = fields.value("UUID", values.identifier)
    if xpm_client_id is None:
        raise SourceInvalid("a client without an id")
    rows = list(element.within("Relationships", "Relationship"))
    relationships = tuple(filter(None, (_relationship(row, remarks) for row in rows)))
    return Client(
        xpm_client_id=xpm_client_id,
        details=_details(fields, _email(element)),
        relationships=relationships,
        archived=fields.value("IsArchived", values.flag) or False,
        deleted=fields.value("IsDeleted", values.flag) or False,
        email_raw=fields.line("Email", records.LONG_LENGTH),
        unreadable_relationships=len(rows) - len(relationships),
        remarks=tuple(remarks),
    )


def _details(fields: _Fields, email: str | None) -> Details:
    return Details(
        name=fields.line("Name", records.NAME_LENGTH),
        title=fields.line("Title"),
        email=email,
        phone=fields.line("Phone"),
        date_of_birth=fields.value("DateOfBirth", values.day),
        address=fields.address(""),
        gender=fields.line("Gender"),
        postal_address=fields.address("Postal"),
        website=fields.line("Website", records.LONG_LENGTH) or fields.line("WebSite", records.LONG_LENGTH),
        business_structure=fields.line("BusinessStructure"),
        company_number=fields.line("CompanyNumber"),
        business_number=fields.line("BusinessNumber"),
    )


def _relationship(row: Element, remarks: list[Remark]) -> Relationship | None:
    fields = _Fields(row, remarks)
    party = next(row.named("RelatedClient"), Element("RelatedClient"))
    related = _Fields(party, remarks)
    word, party_id = fields.line("Type"), related.value("UUID", values.identifier)
    if word is None or party_id is None:
        return None
    return Relationship(
        xpm_relationship_id=fields.value("UUID", values.identifier),
        type=word,
        xpm_party_id=party_id,
        party_name=related.line("Name", records.NAME_LENGTH),
        start_date=fields.value("StartDate", values.day),
        end_date=fields.value("EndDate", values.day),
        number_of_shares=fields.value("NumberOfShares", values.whole),
        percentage=fields.value("Percentage", values.percentage),
    )


def _email(element: Element) -> str | None:
    typed = element.value("Email")
    if typed:
        return values.only_address(typed)
    contacts = [it for it in element.within("Contacts", "Contact") if not _says(it, "IsDeleted")]
    primary = _addresses(contact for contact in contacts if _says(contact, "IsPrimary"))
    known = primary or _addresses(contacts)
    return values.only_address(known[0]) if len(known) == 1 else None


def _addresses(contacts: Iterable[Element]) -> list[str]:
    """What stands in the e-mail fields of contacts, where anything does."""
    return [typed for typed in (contact.value("Email") for contact in contacts) if typed]


def _says(contact: Element, name: str) -> bool:
    try:
        return values.flag(contact.value(name))
    except ValueError:
        return False
