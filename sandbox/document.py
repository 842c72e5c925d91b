"""
Practices as XML, the way XPM prints it: no declaration, no namespace, no indentation.

Element order is that of the recordings with the 3.1 key (`UUID`) first. A plain record (`detailed=false`)
lacks exactly Notes, Groups and Relationships; its contacts stay.
"""

from collections.abc import Iterable, Iterator, Mapping
from html import escape

from sandbox.practice import Contact, Field, Group, Party, Practice, Relationship

_BEFORE_FLAGS = (
    "Name", "Title", "Gender", "FirstName", "MiddleName", "LastName", "OtherName", "Email", "DateOfBirth",
    "DateOfDeath",
    "Address", "City", "Region", "PostCode", "Country",
    "PostalAddress", "PostalCity", "PostalRegion", "PostalPostCode", "PostalCountry",
    "Phone", "Fax", "Website", "ReferralSource", "ExportCode",
)  # fmt: skip
_AFTER_FLAGS = (
    "AccountManager", "JobManager", "Type", "BillingClient", "BusinessStructure", "Industry",
    "ClientCode", "BalanceMonth",
    "TaxNumber", "CompanyNumber", "BusinessNumber", "BranchNumber", "GSTRegistered", "GSTPeriod",
    "GSTBasis", "PrepareGST", "SignedTaxAuthority", "TaxAgent", "AgencyStatus", "ReturnType",
    "PrepareActivityStatement", "PrepareTaxReturn", "ActiveAtoClient",
)  # fmt: skip
KNOWN_FIELDS = frozenset(_BEFORE_FLAGS + _AFTER_FLAGS)
"""The elements that a party's `fields` may hold; any other is printed nowhere."""


Content = str | Mapping[str, "Content"]
"""The text of an element, or its children."""

END_OF_MANY = "</Clients></Response>"


def refusal(method: str, description: str) -> str:
    """What XPM says with HTTP 200 to a bad argument or an unknown id."""
    return f"{_opening(method, 'ERROR')}{_element('ErrorDescription', description)}</Response>"


def one_client(practice: Practice, party: Party) -> str:
    web_url = f"https://practicemanager.xero.com/Client/{party.uuid}/Detail"
    record = client(practice, party, detailed=True)
    return f"{_opening('Get')}{_element('WebUrl', web_url)}{record}</Response>"


def many_clients(
    method: str, practice: Practice, parties: Iterable[Party], *, detailed: bool
) -> Iterator[str]:
    """An answer in pieces, so that a list of any size is never one string."""
    yield f"{_opening(method)}<Clients>"
    for party in parties:
        yield client(practice, party, detailed=detailed)
    yield END_OF_MANY


def client(practice: Practice, party: Party, *, detailed: bool) -> str:
    parts = [_element("UUID", party.uuid), *_fields(party.fields, _BEFORE_FLAGS)]
    parts += [_element("IsArchived", _yes_no(party.archived)), _element("IsDeleted", _yes_no(party.deleted))]
    parts += _fields(party.fields, _AFTER_FLAGS)
    parts.append(_collection("Contacts", map(_contact, party.contacts)))
    if detailed:
        parts += _details(practice, party)
    parts += [_element(name, "") for name in party.echoes]
    return f"<Client>{''.join(parts)}</Client>"


def _details(practice: Practice, party: Party) -> list[str]:
    relationships = (_relationship(practice, relationship) for relationship in party.relationships)
    return [
        _collection("Notes", map(_note, party.notes)),
        _collection("Groups", map(_group, party.groups)),
        _collection("Relationships", relationships),
    ]


def _fields(fields: Mapping[str, Field], names: Iterable[str]) -> Iterator[str]:
    return (_element(name, fields[name]) for name in names if name in fields)


def _relationship(practice: Practice, relationship: Relationship) -> str:
    related = {"UUID": relationship.party_uuid, "Name": practice.name_of(relationship)}
    optional = {
        "NumberOfShares": relationship.shares,
        "Percentage": relationship.percentage,
        "StartDate": relationship.start,
        "EndDate": relationship.end,
    }
    present = {name: text for name, text in optional.items() if text is not None}
    head: dict[str, Content] = {
        "UUID": relationship.uuid,
        "Type": relationship.type,
        "RelatedClient": related,
    }
    return _element("Relationship", {**head, **present})


def _contact(contact: Contact) -> str:
    return _element("Contact", {"UUID": contact.uuid, **contact.fields})


def _group(group: Group) -> str:
    return _element("Group", {"UUID": group.uuid, "Name": group.name})


def _note(text: str) -> str:
    return _element("Note", {"Title": "File note", "Text": text, "Folder": "", "Date": "2023-05-02T00:00:00"})


def _collection(name: str, items: Iterable[str]) -> str:
    content = "".join(items)
    return f"<{name}>{content}</{name}>" if content else f"<{name} />"


def _opening(method: str, status: str = "OK") -> str:
    return f'<Response api-method="{method}"><Status>{status}</Status>'


def _element(name: str, content: Content) -> str:
    return f"<{name}>{_inner(content)}</{name}>"


def _inner(content: Content) -> str:
    if isinstance(content, str):
        return escape(content, quote=False)
    return "".join(_element(name, child) for name, child in content.items())


def _yes_no(flag: bool) -> str:  # noqa: FBT001 - the flag is all there is
    return "Yes" if flag else "No"
