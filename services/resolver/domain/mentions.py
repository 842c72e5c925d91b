"""Which clients a record may touch: everything the fold asks for has to be loaded before it asks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.codec import Event
from schemas.decisions import ItemIgnored, ItemImported, ItemLinked
from schemas.ids import derived_id
from schemas.imports import (
    EntityStaged,
    ImportFact,
    ImportFailed,
    ImportStaged,
    ImportStarted,
    ImportWaiting,
    ItemStaged,
)
from schemas.portal import ClientAdded, MemberRecorded, MemberRemoved
from services.resolver.domain.email import normalised

Key = tuple[str, str]


@dataclass(slots=True)
class Named:
    """What the events of one tenant name, by id. A client is loaded whole.

    Of `staged_emails` one may be a member's by the time when this batch makes that member a co-owner.
    """

    events: set[str] = field(default_factory=set)
    clients: set[str] = field(default_factory=set)
    xpm_clients: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    items: set[str] = field(default_factory=set)
    imports: set[str] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)
    decided_items: set[str] = field(default_factory=set)
    staged_emails: set[str] = field(default_factory=set)
    makes_co_owner: bool = False

    def email(self, email: str | None) -> None:
        """Add an e-mail that a co-owner may hold."""
        if email is not None:
            self.emails.add(normalised(email))


class Mentions:
    """What the events of a batch name, by tenant."""

    def __init__(self) -> None:
        self.of: dict[str, Named] = {}

    def note(self, event: Event) -> None:
        """Add what an event names."""
        named = self.of.get(event.tenant_id)
        if named is None:
            named = self.of[event.tenant_id] = Named()
        named.events.add(event.id)
        noting = _NOTING.get(type(event.data))
        if noting is not None:
            noting(named, event, event.data)

    def columns(self, kind: str) -> tuple[Sequence[str], Sequence[str]]:
        """All ids of a kind, and before them the tenant of each, sorted."""
        tenants: list[str] = []
        ids: list[str] = []
        for tenant_id, named in sorted(self.of.items()):
            some = sorted(getattr(named, kind))
            tenants += [tenant_id] * len(some)
            ids += some
        return tenants, ids


def _client_added(named: Named, _event: Event, data: ClientAdded) -> None:
    named.clients.add(data.client_id)
    if data.xpm_client_id is not None:
        named.xpm_clients.add(data.xpm_client_id)
    named.email(data.personal.account_email)


def _member_recorded(named: Named, event: Event, data: MemberRecorded) -> None:
    _member_removed(named, event, data)
    named.email(data.personal.email)
    named.makes_co_owner |= data.co_owner is True


def _member_removed(named: Named, _event: Event, data: MemberRecorded | MemberRemoved) -> None:
    named.clients.add(data.client_id)
    named.members.add(data.member_id)


def _item_imported(named: Named, event: Event, data: ItemImported) -> None:
    named.items.add(data.item_id)
    named.decided_items.add(data.item_id)
    named.makes_co_owner |= data.co_owner
    named.members.add(derived_id(event.tenant_id, "member", event.id))
    named.email(data.personal.email if data.personal else None)


def _item_linked(named: Named, _event: Event, data: ItemLinked) -> None:
    named.items.add(data.item_id)
    named.decided_items.add(data.item_id)
    named.members.add(data.member_id)


def _item_ignored(named: Named, _event: Event, data: ItemIgnored) -> None:
    named.items.add(data.item_id)


def _import_fact(named: Named, _event: Event, data: ImportFact) -> None:
    named.clients.add(data.client_id)
    named.imports.add(data.import_id)


def _item_staged(named: Named, event: Event, data: ItemStaged) -> None:
    _import_fact(named, event, data)
    named.items.add(data.item_id)
    if data.personal.email is not None:
        named.staged_emails.add(data.personal.email)


_NOTING: dict[type, Callable[[Named, Event, Any], None]] = {
    ClientAdded: _client_added,
    MemberRecorded: _member_recorded,
    MemberRemoved: _member_removed,
    ImportStarted: _import_fact,
    ImportWaiting: _import_fact,
    EntityStaged: _import_fact,
    ItemStaged: _item_staged,
    ImportStaged: _import_fact,
    ImportFailed: _import_fact,
    ItemImported: _item_imported,
    ItemIgnored: _item_ignored,
    ItemLinked: _item_linked,
}
"""By type, as the fold finds its rules: to ask whether it is an instance takes several times as long."""
