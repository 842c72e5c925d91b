"""
Client records out of XPM's answers, as they stream in.

A value stands once it is there: absent, blank and repeated elements never take it away. An id is the UUID or, in the
way of version 3.0, the number. An e-mail address is taken only where that is no guess: an own field with something like
an address decides; without one the primary contact's counts, then the only one that contacts have. Deleted contacts do
not count.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from typing import TypeVar

from services.importer.xpm import records, values
from services.importer.xpm.elements import RECORD, Element, ElementStream, Limits
from services.importer.xpm.errors import SourceInvalid
from services.importer.xpm.objects import ObjectStream
from services.importer.xpm.records import Client, Details, Relationship, Remark

OK = "OK"
REFUSED = "ERROR"

NO_MORE_THAN = Limits()

_BLANK = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"
_LONGEST_PROLOGUE = 1_000

Value = TypeVar("Value")

_PLACE = ("City", "Region", "PostCode")
_ADDRESS = ("Address", *_PLACE, "Country")
_MARKS = ("IsArchived", "IsDeleted")
_TELLING = ("UUID", "ID", *_MARKS)
"""The elements that tell whether a client has to be read again."""
WANTED = frozenset(
    {"UUID", "ID", "Name", "Title", "Gender", "Email", "DateOfBirth", "Phone", "Website", "WebSite"}
    | {"IsArchived", "IsDeleted", "BusinessStructure", "CompanyNumber", "BusinessNumber"}
    | {"Contacts", "Relationships", *_ADDRESS, *(f"Postal{name}" for name in _ADDRESS)}
)


class Refused(Exception):
    """XPM understood the call and answered `ERROR`; what that means depends on what was asked."""


class ClientReader:
    """
    Feed it the bytes of an answer, take the clients as they are complete; `close` says that the answer has ended.

    Whether it is XML or JSON is seen by its first character. Both methods raise `SourceInvalid`, and `Refused` once the
    answer says `ERROR`. Relationships are read of all clients, or of those whose ids are in `tied`: they are most of
    what there is to read. Clients that are `known` are passed over, unless they are archived or deleted.
    """

    def __init__(
        self,
        limits: Limits = NO_MORE_THAN,
        tied: Container[str] | None = None,
        known: Container[str] | None = None,
    ) -> None:
        self._limits = limits
        self._tied = tied
        self._known = known
        self._elements: ElementStream | ObjectStream | None = None
        self._before = b""
        self._answered = False

    def feed(self, data: bytes) -> list[Client]:
        if self._elements is None:
            data = self._before + data
            self._elements, self._before = self._recognised(data), data
            if self._elements is None:
                return []
        if isinstance(self._elements, ObjectStream) and self._before:
            data, self._before = data.lstrip(_BLANK), b""
        return self._read(self._elements.feed(data))

    def close(self) -> list[Client]:
        if self._elements is None:
            raise SourceInvalid("an empty answer")
        clients = self._read(self._elements.close())
        # what is described of JSON has no Status: its HTTP status has said that all is well
        described = isinstance(self._elements, ObjectStream) and self._elements.is_described
        if not (self._answered or described):
            raise SourceInvalid("an answer without a Status")
        return clients

    def _recognised(self, data: bytes) -> ElementStream | ObjectStream | None:
        """What reads such a document, once its first character has come; blanks before it may be without end."""
        first = data.lstrip(_BLANK)[:1]
        if not first and len(data) < _LONGEST_PROLOGUE:
            return None
        if first not in (b"{", b"["):
            return ElementStream(self._limits)
        return ObjectStream(WANTED, self._limits)

    def _read(self, elements: list[Element]) -> list[Client]:
        for element in elements:
            if element.name == "Status":
                self._take_status(element.text.strip().upper())
        found = (element for element in elements if element.name == RECORD)
        return [client(element, self._tied) for element in found if not self._is_passed_over(element)]

    def _is_passed_over(self, element: Element) -> bool:
        """No more of it is read than tells that: a list may bring a whole practice again."""
        if self._known is None:
            return False
        fields = _Fields(element, [], _TELLING)
        marked = any(fields.value(name, values.flag) for name in _MARKS)
        return fields.identifier() in self._known and not marked

    def _take_status(self, status: str) -> None:
        if status == REFUSED:
            raise Refused
        if status != OK:
            raise SourceInvalid("an unknown Status")
        self._answered = True


class _Fields:
    """The fields of an element, with remarks about those that could not be taken as they were."""

    def __init__(self, element: Element, remarks: list[Remark], names: Iterable[str] = ()) -> None:
        self.values, self.nested = element.read(*names)
        self._remarks = remarks

    def line(self, name: str, limit: int = records.SHORT_LENGTH) -> str | None:
        text = self.values.get(name)
        return None if text is None else self._fitted(name, values.line(text), limit)

    def value(self, name: str, read: Callable[[str], Value | None]) -> Value | None:
        text = self.values.get(name)
        if text is None:
            return None
        try:
            return read(text)
        except ValueError:
            self._remarks.append(Remark(element=name, kind="unreadable"))
            return None

    def identifier(self) -> str | None:
        return self.value("UUID", values.identifier) or self.value("ID", values.identifier)

    def address(self, kind: str) -> str | None:
        street = values.lines(self.values.get(f"{kind}Address", ""))
        *place, country = (values.line(self.values.get(f"{kind}{name}", "")) for name in (*_PLACE, "Country"))
        return self._fitted(f"{kind}Address", values.address(street, place, country), records.LONG_LENGTH)

    def _fitted(self, name: str, text: str | None, limit: int) -> str | None:
        if text is None or len(text) <= limit:
            return text
        self._remarks.append(Remark(element=name, kind="shortened"))
        return values.shortened(text, limit)


def client(element: Element, tied: Container[str] | None = None) -> Client:
    """A client record, with relationships if it is `tied`. Raises `SourceInvalid` for one without an id."""
    remarks: list[Remark] = []
    fields = _Fields(element, remarks)
    uuid, number = fields.value("UUID", values.identifier), fields.value("ID", values.identifier)
    xpm_client_id = uuid or number
    if xpm_client_id is None:
        raise SourceInvalid("a client without an id")
    has_ties = tied is None or xpm_client_id in tied
    rows = list(element.within("Relationships", "Relationship")) if has_ties else []
    relationships = tuple(filter(None, (_relationship(row, remarks) for row in rows)))
    return Client(
        xpm_client_id=xpm_client_id,
        number=number if uuid else None,
        details=_details(
            fields, _email(fields.values.get("Email", ""), element.within("Contacts", "Contact"))
        ),
        relationships=relationships,
        archived=fields.value("IsArchived", values.flag) or False,
        deleted=fields.value("IsDeleted", values.flag) or False,
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
    word, party = fields.line("Type"), fields.nested.get("RelatedClient")
    if word is None or party is None:
        return None
    related = _Fields(party, remarks)
    party_id = related.identifier()
    if party_id is None:
        return None
    return Relationship(
        xpm_relationship_id=fields.identifier(),
        type=word,
        xpm_party_id=party_id,
        party_name=related.line("Name", records.NAME_LENGTH),
        start_date=fields.value("StartDate", values.day),
        end_date=fields.value("EndDate", values.day),
        number_of_shares=fields.value("NumberOfShares", values.whole),
        percentage=fields.value("Percentage", values.percentage),
    )


def _email(typed: str, contacts: Iterable[Element]) -> str | None:
    if "@" in typed:
        return values.only_address(typed)
    there = [said for contact in contacts if not _says(said := contact.read()[0], "IsDeleted")]
    primary = _addresses(said for said in there if _says(said, "IsPrimary"))
    known = primary or _addresses(there)
    return next(iter(known.values())) if len(known) == 1 else None


def _addresses(contacts: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The addresses of contacts as they were typed, each once."""
    found: dict[str, str] = {}
    for said in contacts:
        address = values.only_address(said.get("Email", ""))
        if address:
            found.setdefault(address.casefold(), address)
    return found


def _says(contact: Mapping[str, str], name: str) -> bool:
    try:
        return values.flag(contact.get(name, ""))
    except ValueError:
        return False
