"""
Practices as XML, the way XPM prints it: no declaration, no namespace, no indentation, unless the dialect has them.

Element order is that of the recordings with the 3.1 key (`UUID`) first. A plain record (`detailed=false`)
lacks exactly Notes, Groups and Relationships; its contacts stay. A record of a page lacks those too.
"""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Literal

from sandbox.dialect import AS_RECORDED, Dialect
from sandbox.pairs import turned
from sandbox.practice import Contact, Field, Group, Party, Practice, Relationship, Staff

_PERSONAL = (
    "Name", "Title", "Gender", "FirstName", "MiddleName", "LastName", "OtherName", "Email", "DateOfBirth",
    "DateOfDeath",
)  # fmt: skip
_ALWAYS_THERE = (
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
KNOWN_FIELDS = frozenset(_PERSONAL + _ALWAYS_THERE + _AFTER_FLAGS)
"""The elements that a party's `fields` may hold; any other is printed nowhere."""

_OF_LINKED_CONTACTS = ("IsPrimary", "Position")

Amount = Literal["detailed", "plain", "paged"]
"""How much of a record is printed."""

Content = str | Mapping[str, "Content"]
"""The text of an element, or its children."""


class Printer:
    """Prints answers about one practice, piece by piece: a list of any size is never one string."""

    def __init__(self, practice: Practice, dialect: Dialect = AS_RECORDED) -> None:
        self._practice = practice
        self._dialect = dialect
        never_set = _ALWAYS_THERE if dialect.never_set == "empty" else ()
        self._never_set: dict[str, Field] = dict.fromkeys(never_set, "")
        self._closing = {"closed": "<{0} />", "open": "<{0}></{0}>", "absent": ""}[dialect.empty]

    def one_client(self, party: Party) -> Iterator[str]:
        link = _element("WebUrl", f"https://practicemanager.xero.com/Client/{party.uuid}/Detail")
        where = self._dialect.web_url
        record = self.client(party, "detailed")
        if where == "inside":
            record = record.removesuffix("</Client>") + link + "</Client>"
        return self._answer("Get", [link if where == "beside" else "", record])

    def many_clients(
        self, method: str, parties: Iterable[Party], amount: Amount, more: str = ""
    ) -> Iterator[str]:
        """A list, with `more` after it."""
        return self._many(method, "Clients", (self.client(party, amount) for party in parties), more)

    def contacts(self, contacts: Iterable[Contact], more: str) -> Iterator[str]:
        """People at clients, without a word about whose they are."""
        return self._many("Contacts", "Contacts", map(self._unlinked_contact, contacts), more)

    def groups(self) -> Iterator[str]:
        return self._many(
            "List", "Groups", (self._group(group, Taxable="No") for group in self._practice.groups())
        )

    def one_group(self, group: Group) -> Iterator[str]:
        members = [
            _element("Client", {**self._id(member.uuid), "Name": member.name})
            for member in self._practice.members(group)
        ]
        head = _inner({**self._id(group.uuid), "Name": group.name})
        return self._answer("Get", ["<Group>", head, self._collection("Clients", members), "</Group>"])

    def staff(self) -> Iterator[str]:
        return self._many("List", "StaffList", map(self._staff, self._practice.staff))

    def refusal(self, method: str, description: str) -> Iterator[str]:
        """What XPM says with HTTP 200 to a bad argument or an unknown id."""
        return self._answer(method, [_element("ErrorDescription", description)], "ERROR")

    def client(self, party: Party, amount: Amount = "detailed") -> str:
        """One record."""
        parts = [*self._key(party), *_fields(party.fields, _PERSONAL)]
        parts += _fields(self._never_set | party.fields, _ALWAYS_THERE)
        parts += [*self._flags(party), *_fields(party.fields, _AFTER_FLAGS)]
        if amount != "paged":
            parts.append(self._collection("Contacts", map(self._contact, party.contacts)))
        if amount == "detailed":
            parts += self._details(party)
        parts += [_element(name, "") for name in party.echoes]
        if self._dialect.ids == "numeric":
            parts.append(_element("UUID", party.uuid))
        return f"<Client>{''.join(parts)}</Client>"

    def _key(self, party: Party) -> Iterator[str]:
        return (_element(name, text) for name, text in self._id(party.uuid).items())

    def _flags(self, party: Party) -> Iterator[str]:
        flags = {"IsArchived": party.archived, "IsDeleted": party.deleted}
        if self._dialect.prospects:
            flags = {"IsProspect": False, **flags}
        words = ("No", "Yes") if self._dialect.flags == "words" else ("false", "true")
        return (_element(name, words[flag]) for name, flag in flags.items())

    def _details(self, party: Party) -> list[str]:
        return [
            self._collection("Notes", map(_note, party.notes)),
            self._collection("Groups", map(self._group, party.groups)),
            self._collection("Relationships", map(self._relationship, party.relationships)),
        ]

    def _relationship(self, tie: Relationship) -> str:
        optional = {
            "NumberOfShares": self._number(tie.shares),
            "Percentage": self._number(tie.percentage),
            "StartDate": tie.start,
            "EndDate": tie.end,
        }
        related = {**self._id(tie.party_uuid), "Name": self._practice.name_of(tie)}
        word = tie.type if self._dialect.words == "what the other is" else turned(tie.type)
        head: dict[str, Content] = {**self._id(tie.uuid), "Type": word, "RelatedClient": related}
        return _element("Relationship", {**head, **_present(optional)})

    def _number(self, typed: str | None) -> str | None:
        if typed not in (None, "", "0") or self._dialect.does_not_apply == "as typed":
            return typed
        return {"absent": None, "empty": "", "0": "0"}[self._dialect.does_not_apply]

    def _contact(self, contact: Contact) -> str:
        return _element("Contact", {**self._id(contact.uuid), **contact.fields})

    def _unlinked_contact(self, contact: Contact) -> str:
        known = {name: text for name, text in contact.fields.items() if name not in _OF_LINKED_CONTACTS}
        return _element("Contact", {**self._id(contact.uuid), **known})

    def _group(self, group: Group, **more: str) -> str:
        return _element("Group", {**self._id(group.uuid), "Name": group.name, **more})

    def _staff(self, staff: Staff) -> str:
        return _element("Staff", {**self._id(staff.uuid), **staff.fields})

    def _id(self, uuid: str) -> dict[str, str]:
        return {"ID": str(number_of(uuid))} if self._dialect.ids == "numeric" else {"UUID": uuid}

    def _collection(self, name: str, items: Iterable[str]) -> str:
        content = "".join(items)
        return f"<{name}>{content}</{name}>" if content else self._closing.format(name)

    def _many(self, method: str, name: str, items: Iterable[str], more: str = "") -> Iterator[str]:
        rest = iter(items)
        first = next(rest, None)
        yield self._opening(method)
        if first is None:
            yield self._closing.format(name)
        else:
            yield f"<{name}>{first}"
            yield from rest
            yield f"</{name}>"
        yield f"{more}</Response>"

    def _answer(self, method: str, content: Iterable[str], status: str = "OK") -> Iterator[str]:
        yield self._opening(method, status)
        yield from content
        yield "</Response>"

    def _opening(self, method: str, status: str = "OK") -> str:
        attributes = f' api-method="{method}"' if self._dialect.api_method else ""
        head = f"<Response{attributes}>"
        if self._dialect.declaration:
            head = f'<?xml version="1.0" encoding="utf-8"?>\n<Response xmlns="urn:practice"{attributes}>\n  '
        return f"{head}<Status>{status}</Status>"


def number_of(uuid: str) -> int:
    """The numeric id that belongs to a UUID."""
    return int(uuid.replace("-", "")[-10:], 16)


def pagination(first: str, following: str | None) -> str:
    """The links of a page; `following` may be empty or missing."""
    links = _present({"First": first, "Next": following})
    return _element("Pagination", {"Links": links})


def _fields(fields: Mapping[str, Field], names: Iterable[str]) -> Iterator[str]:
    return (_element(name, fields[name]) for name in names if name in fields)


def _note(text: str) -> str:
    return _element("Note", {"Title": "File note", "Text": text, "Folder": "", "Date": "2023-05-02T00:00:00"})


def _present(texts: Mapping[str, str | None]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text is not None}


def _element(name: str, content: Content) -> str:
    return f"<{name}>{_inner(content)}</{name}>"


def _inner(content: Content) -> str:
    if isinstance(content, str):
        return escape(content, quote=False)
    return "".join(_element(name, child) for name, child in content.items())
