"""Which clients a record may touch: everything the fold asks for has to be loaded before it asks."""

from dataclasses import dataclass, field

from schemas.codec import Event
from schemas.decisions import ItemIgnored, ItemImported, ItemLinked
from schemas.ids import derived_id
from schemas.imports import ImportFact, ItemStaged
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
        tenant = event.tenant_id
        self.events.add((tenant, event.id))
        match event.data:
            case ClientAdded() as data:
                self.clients.add((tenant, data.client_id))
                if data.xpm_client_id is not None:
                    self.xpm_clients.add((tenant, data.xpm_client_id))
                self._email(tenant, data.personal.account_email)
            case MemberRecorded() as data:
                self.clients.add((tenant, data.client_id))
                self.members.add((tenant, data.member_id))
                self._email(tenant, data.personal.email)
            case MemberRemoved() as data:
                self.clients.add((tenant, data.client_id))
                self.members.add((tenant, data.member_id))
            case ItemImported() as data:
                self.items.add((tenant, data.item_id))
                self.imported_items.add((tenant, data.item_id))
                self.members.add((tenant, derived_id(tenant, "member", event.id)))
                self._email(tenant, data.personal.email if data.personal else None)
            case ItemLinked() as data:
                self.items.add((tenant, data.item_id))
                self.members.add((tenant, data.member_id))
            case ItemIgnored() as data:
                self.items.add((tenant, data.item_id))
            case ImportFact() as data:
                self.clients.add((tenant, data.client_id))
                self.imports.add((tenant, data.import_id))
                if isinstance(data, ItemStaged):
                    self.items.add((tenant, data.item_id))

    def _email(self, tenant: str, email: str | None) -> None:
        if email is not None:
            self.emails.add((tenant, normalised(email)))
