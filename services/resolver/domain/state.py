"""The state of a tenant in memory, with everything a rule may ask of it.

A rule sees one tenant and nothing else, so no record can reach another's data. Entities are immutable and replaced
whole; every replacement is noted, so that a record on which the resolver breaks leaves no trace, and so that whoever
stores the state knows what changed.
"""

from collections.abc import MutableMapping
from typing import Any

from services.resolver.domain.entities import Claim, Client, Holder, Import, Item, Link, Member

_MISSING: Any = object()


class TenantState:
    """What is known of one tenant. The indexes are hints: what they point to is looked at again when it is read."""

    def __init__(self) -> None:
        self.clients: dict[str, Client] = {}
        self.members: dict[str, Member] = {}
        self.links: dict[tuple[str, str], Link] = {}
        self.items: dict[str, Item] = {}
        self.imports: dict[str, Import] = {}
        self.holders: dict[str, Holder] = {}
        self.claims: dict[str, Claim] = {}
        self.changed: dict[str, dict[Any, bool]] = {
            table: {} for table in ("clients", "members", "links", "items", "imports", "holders")
        }
        """By table the keys that changed since all was stored, with whether they were there then."""
        self._client_of_xpm: dict[str, str] = {}
        self._link_of_member: dict[str, tuple[str, str]] = {}
        self._items_of_client: dict[str, dict[str, None]] = {}
        self._links_of_client: dict[str, dict[str, None]] = {}
        self._imports_of_client: dict[str, dict[str, None]] = {}
        self._undo: list[tuple[str, Any, Any]] = []

    # What rules ask.

    def client_of_xpm(self, xpm_client_id: str) -> Client | None:
        client = self.clients.get(self._client_of_xpm.get(xpm_client_id, ""))
        return client if client and client.xpm_client_id == xpm_client_id else None

    def link_of_member(self, member_id: str) -> Link | None:
        link = self.links.get(self._link_of_member.get(member_id, ("", "")))
        return link if link and link.member_id == member_id else None

    def items_of_client(self, client_id: str) -> list[Item]:
        known = self._items_of_client.get(client_id, ())
        return [item for item_id in known if (item := self.items.get(item_id))]

    def links_of_client(self, client_id: str) -> list[Link]:
        known = self._links_of_client.get(client_id, ())
        return [link for party in known if (link := self.links.get((client_id, party)))]

    def open_imports(self, client_id: str) -> list[Import]:
        known = self._imports_of_client.get(client_id, {})
        found = [run for import_id in known if (run := self.imports.get(import_id)) and run.is_open]
        if len(found) < len(known):
            self._imports_of_client[client_id] = {run.import_id: None for run in found}
        return found

    # What rules change.

    def put_client(self, client: Client) -> None:
        self._put("clients", self.clients, client.client_id, client)
        if client.xpm_client_id is not None:
            self._client_of_xpm[client.xpm_client_id] = client.client_id

    def put_member(self, member: Member) -> None:
        self._put("members", self.members, member.member_id, member)

    def put_link(self, link: Link) -> None:
        self._put("links", self.links, (link.client_id, link.xpm_party_id), link)
        self._link_of_member[link.member_id] = (link.client_id, link.xpm_party_id)
        self._links_of_client.setdefault(link.client_id, {})[link.xpm_party_id] = None

    def drop_link(self, link: Link) -> None:
        self._drop("links", (link.client_id, link.xpm_party_id))

    def put_item(self, item: Item) -> None:
        self._put("items", self.items, item.item_id, item)
        self._items_of_client.setdefault(item.client_id, {})[item.item_id] = None

    def put_import(self, run: Import) -> None:
        self._put("imports", self.imports, run.import_id, run)
        self._imports_of_client.setdefault(run.client_id, {})[run.import_id] = None

    def hold_email(self, email: str, holder: Holder) -> None:
        self._put("holders", self.holders, email, holder)

    def free_email(self, email: str) -> None:
        self._drop("holders", email)

    # What the fold and the store do.

    def commit(self) -> None:
        """Keep what the record changed."""
        for table, key, before in self._undo:
            self.changed[table].setdefault(key, before is not _MISSING)
        self._undo.clear()

    def roll_back(self) -> None:
        """Forget what the record changed."""
        for table, key, before in reversed(self._undo):
            rows = self._rows(table)
            if before is _MISSING:
                del rows[key]
            else:
                rows[key] = before
                if table == "imports":  # which may have been taken for closed meanwhile
                    self._imports_of_client[before.client_id][key] = None
        self._undo.clear()

    def settle(self) -> None:
        """All of it is as it is stored: from here on changes count anew."""
        self._undo.clear()
        for keys in self.changed.values():
            keys.clear()

    def _rows(self, table: str) -> MutableMapping[Any, Any]:
        rows: MutableMapping[Any, Any] = getattr(self, table)
        return rows

    def _put(self, table: str, rows: MutableMapping[Any, Any], key: Any, value: Any) -> None:
        self._undo.append((table, key, rows.get(key, _MISSING)))
        rows[key] = value

    def _drop(self, table: str, key: Any) -> None:
        rows = self._rows(table)
        if key in rows:
            self._undo.append((table, key, rows.pop(key)))


class World:
    """The tenants that a fold touches, and the number of the swap whose tables it folds into."""

    def __init__(self, swap: int = 0) -> None:
        self.swap = swap
        self.tenants: dict[str, TenantState] = {}

    def tenant(self, tenant_id: str) -> TenantState:
        state = self.tenants.get(tenant_id)
        if state is None:
            state = self.tenants[tenant_id] = TenantState()
        return state
