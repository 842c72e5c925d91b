"""
A practice as Xero Practice Manager holds it: parties, what is written on their records, and how a user
changes it.

Texts are kept as XPM would print them. A field that is not in `Party.fields` is *absent* from the XML, one
that holds "" is *present and empty*; the real API knows both, and they mean the same to nobody but a parser.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

Field = str | Mapping[str, str]
"""The text of an element, or the texts of its children."""

BEGINNING = datetime(2019, 7, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Relationship:
    """One row of the Relationships tab of a party; `None` leaves the element out."""

    uuid: str
    type: str
    party_uuid: str
    party_name: str
    shares: str | None = None
    percentage: str | None = None
    start: str | None = None
    end: str | None = None


@dataclass(frozen=True)
class Contact:
    """A person at a client, who is no client."""

    uuid: str
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Group:
    uuid: str
    name: str


@dataclass(frozen=True)
class Staff:
    """Somebody who works at the practice; names repeat, and XPM does not say who has left."""

    uuid: str
    fields: Mapping[str, str]


def _staff(number: int, name: str, email: str) -> Staff:
    more = {"Email": email, "Phone": "", "Mobile": "", "Address": "", "PayrollCode": ""}
    return Staff(f"d3a7f0c1-22b8-4e95-9f4d-7c6e1b90a5{number:02}", {"Name": name, **more})


STAFF = (
    _staff(1, "Nell Harrow", "nell@practice.example"),
    _staff(2, "Nell Harrow", ""),
    _staff(3, "Test", "test@practice.example"),
    _staff(4, "test", ""),
)


@dataclass
class Party:
    """A client record. `echoes` are elements that XPM prints once more, empty, at the end of it."""

    uuid: str
    fields: dict[str, Field]
    contacts: tuple[Contact, ...] = ()
    groups: tuple[Group, ...] = ()
    notes: tuple[str, ...] = ()
    relationships: list[Relationship] = field(default_factory=list)
    archived: bool = False
    deleted: bool = False
    echoes: tuple[str, ...] = ()
    changed_at: datetime = BEGINNING

    @property
    def name(self) -> str:
        return str(self.fields.get("Name", ""))

    @property
    def is_current(self) -> bool:
        return not (self.archived or self.deleted)


class Practice:
    """The client records of one practice. Everything raises `KeyError` for a record that is not there."""

    def __init__(self, name: str, parties: Iterable[Party], groups: Iterable[Group] = ()) -> None:
        """`groups` are those without members: the others are on the records."""
        self.name = name
        self.staff = STAFF
        self.parties = {party.uuid: party for party in parties}
        self._empty_groups = tuple(groups)

    def listed(self, modified_since: datetime | None = None, *, archived: bool = False) -> list[Party]:
        """
        What `client.api/list` brings, by name: current records, or whatever changed since a moment.

        Deleted records appear only among the changed ones, archived ones there or where they are asked for.
        """
        return sorted(
            (party for party in self.parties.values() if _is_listed(party, modified_since, archived)),
            key=lambda party: (party.name.casefold(), party.uuid),
        )

    def search(self, text: str) -> list[Party]:
        wanted = text.casefold()
        return [party for party in self.listed() if wanted in party.name.casefold()]

    def groups(self) -> list[Group]:
        """The client groups by name, also those that nobody belongs to."""
        found = {group for party in self.parties.values() for group in party.groups}
        return sorted(found | set(self._empty_groups), key=lambda group: (group.name.casefold(), group.uuid))

    def members(self, group: Group) -> list[Party]:
        return [party for party in self.listed() if group in party.groups]

    def name_of(self, relationship: Relationship) -> str:
        """The present name of the party at the other end, or the last one known if its record is gone."""
        party = self.parties.get(relationship.party_uuid)
        return party.name if party else relationship.party_name

    def add(self, party: Party) -> None:
        self.parties[party.uuid] = party

    def amend(self, uuid: str, changes: Mapping[str, Field | None], now: datetime) -> None:
        """Give fields of a record new texts; `None` makes one absent."""
        party = self.parties[uuid]
        for name, text in changes.items():
            if text is None:
                party.fields.pop(name, None)
            else:
                party.fields[name] = text
        party.changed_at = now

    def mark(
        self, uuid: str, now: datetime, *, archived: bool | None = None, deleted: bool | None = None
    ) -> None:
        party = self.parties[uuid]
        party.archived = party.archived if archived is None else archived
        party.deleted = party.deleted if deleted is None else deleted
        party.changed_at = now

    def remove(self, uuid: str) -> None:
        """Take a record away altogether: what points to it dangles."""
        del self.parties[uuid]

    # Whether a changed relationship counts as a change of the record is unknown of XPM: with `now` it does here.

    def relate(self, uuid: str, relationship: Relationship, now: datetime | None = None) -> None:
        self.parties[uuid].relationships.append(relationship)
        self._touch(uuid, now)

    def row(self, uuid: str, relationship_uuid: str) -> Relationship:
        party = self.parties[uuid]
        return party.relationships[_place(party, relationship_uuid)]

    def end(self, uuid: str, relationship_uuid: str, day: str | None, now: datetime | None = None) -> None:
        """Set the end date of a relationship, or with `None` take it away."""
        party = self.parties[uuid]
        place = _place(party, relationship_uuid)
        party.relationships[place] = replace(party.relationships[place], end=day)
        self._touch(uuid, now)

    def unrelate(self, uuid: str, relationship_uuid: str, now: datetime | None = None) -> None:
        party = self.parties[uuid]
        del party.relationships[_place(party, relationship_uuid)]
        self._touch(uuid, now)

    def _touch(self, uuid: str, now: datetime | None) -> None:
        if now is not None:
            self.parties[uuid].changed_at = now


def _is_listed(party: Party, modified_since: datetime | None, archived: bool) -> bool:  # noqa: FBT001 - as given
    if modified_since is not None:
        return party.changed_at >= modified_since
    return party.is_current or (archived and not party.deleted)


def _place(party: Party, relationship_uuid: str) -> int:
    for place, relationship in enumerate(party.relationships):
        if relationship.uuid == relationship_uuid:
            return place
    raise KeyError(relationship_uuid)
