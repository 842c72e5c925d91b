"""Which clients a record may touch: everything the fold asks for has to be loaded before it asks."""

from collections.abc import Callable
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
class Mentions:
    """What the events of a batch name, as pairs of tenant and id. A client is loaded whole."""

    events: set[Key] = field(default_factory=set)
    clients: set[Key] = field(default_factory=set)
    xpm_clients: set[Key] = field(default_factory=set)
    members: set[Key] = field(default_factory=set)
    items: set[Key] = field(default_factory=set)
    imports: set[Key] = field(default_factory=set)
    emails: set[Key] = field(default_factory=set)
    imported_items: set[Key] = field(default_factory=set)

    def note(self, event: Event) -> None:
        """Add what an event names."""
        self.events.add((event.tenant_id, event.id))
        noting = _NOTING.get(type(event.data))
        if noting is not None:
            noting(self, event, event.data)

    def email(self, tenant: str, email: str | None) -> None:
        """Add an e-mail that a co-owner may hold."""
        if email is not None:
            self.emails.add((tenant, normalised(email)))


def _client_added(mentions: Mentions, event: Event, data: ClientAdded) -> None:
    tenant = event.tenant_id
    mentions.clients.add((tenant, data.client_id))
    if data.xpm_client_id is not None:
        mentions.xpm_clients.add((tenant, data.xpm_client_id))
    mentions.email(tenant, data.personal.account_email)


def _member_recorded(mentions: Mentions, event: Event, data: MemberRecorded) -> None:
    _member_removed(mentions, event, data)
    mentions.email(event.tenant_id, data.personal.email)


def _member_removed(mentions: Mentions, event: Event, data: MemberRecorded | MemberRemoved) -> None:
    mentions.clients.add((event.tenant_id, data.client_id))
    mentions.members.add((event.tenant_id, data.member_id))


def _item_imported(mentions: Mentions, event: Event, data: ItemImported) -> None:
    tenant = event.tenant_id
    mentions.items.add((tenant, data.item_id))
    mentions.imported_items.add((tenant, data.item_id))
    mentions.members.add((tenant, derived_id(tenant, "member", event.id)))
    mentions.email(tenant, data.personal.email if data.personal else None)


def _item_linked(mentions: Mentions, event: Event, data: ItemLinked) -> None:
    mentions.items.add((event.tenant_id, data.item_id))
    mentions.members.add((event.tenant_id, data.member_id))


def _item_ignored(mentions: Mentions, event: Event, data: ItemIgnored) -> None:
    mentions.items.add((event.tenant_id, data.item_id))


def _import_fact(mentions: Mentions, event: Event, data: ImportFact) -> None:
    mentions.clients.add((event.tenant_id, data.client_id))
    mentions.imports.add((event.tenant_id, data.import_id))


def _item_staged(mentions: Mentions, event: Event, data: ItemStaged) -> None:
    _import_fact(mentions, event, data)
    mentions.items.add((event.tenant_id, data.item_id))


_NOTING: dict[type, Callable[[Mentions, Event, Any], None]] = {
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
