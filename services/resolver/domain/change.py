"""What one record changes: the state it leaves, the imports' numbers, and what the outcome has to tell of it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from schemas.codec import Event
from schemas.outcomes import ItemState
from services.resolver.domain.email import normalised
from services.resolver.domain.entities import Client, Holder, Import, Item, Link, Member, Origin
from services.resolver.domain.state import TenantState


@dataclass(frozen=True, slots=True)
class Replacement:
    """One field whose value XPM's took the place of."""

    of: str
    id: str
    field: str
    before: str
    after: str


class Change:
    """The record being folded, its tenant's state, and what has been touched so far."""

    __slots__ = (
        "at",
        "before",
        "client",
        "client_created",
        "client_id",
        "event",
        "imports",
        "items",
        "members",
        "offset",
        "replacements",
        "state",
    )

    def __init__(self, state: TenantState, event: Event, offset: int, at: int) -> None:
        self.state = state
        self.event = event
        self.offset = offset
        self.at = at
        self.client_id: str | None = None
        self.items: dict[str, Item] = {}
        self.imports: set[str] = set()
        self.members: dict[str, Member] = {}
        self.replacements: list[Replacement] = []
        self.before: dict[str, dict[str, Any]] = {}
        self.client: Client | None = None
        self.client_created = False

    # Entities.

    def put_client(self, client: Client) -> None:
        before = self.state.clients.get(client.client_id)
        if before is None:
            self.client_created = True
        elif (before.details, before.account_email) != (client.details, client.account_email):
            self.before["client"] = {
                "client_id": before.client_id,
                "account_email": before.account_email,
                "details": before.details,
                "provenance": before.provenance,
            }
        self.client = client
        self._move_email(
            before.account_email if before else None,
            client.account_email,
            Holder(client.client_id),
        )
        self.state.put_client(client)

    def put_member(self, member: Member) -> None:
        before = self.state.members.get(member.member_id)
        if before is not None and before != member:
            self.before.setdefault("members", {}).setdefault(
                member.member_id,
                {"co_owner": before.co_owner, "details": before.details, "provenance": before.provenance},
            )
        self.members[member.member_id] = member
        self._move_email(
            _held(before) if before else None,
            _held(member),
            Holder(member.client_id, member.member_id),
        )
        self.state.put_member(member)

    def put_item(self, item: Item, staged_by: str | None = None) -> None:
        """Keep an item, and the numbers of the open imports that held or hold it, or that stage it now."""
        before = self.state.items.get(item.item_id)
        self.state.put_item(item)
        self.items[item.item_id] = item
        for run in self.state.open_imports(item.client_id):
            self._recount(run, before, item, staged=run.import_id == staged_by)

    def put_import(self, run: Import) -> None:
        self.state.put_import(run)
        self.imports.add(run.import_id)

    def end_link(self, link: Link, reason: str) -> None:
        """The pair is no more: its items can come back, and what staff kept counts as typed in the portal."""
        self.state.drop_link(link)
        for item in self.state.items_of_client(link.client_id):
            if item.member_id == link.member_id:
                self.put_item(withdrawn(item, reason))
        member = self.state.members[link.member_id]
        self.put_member(replace(member, provenance=_unlinked(member)))

    # Numbers.

    def holding(self, item: Item) -> list[Import]:
        """The open imports that hold the item."""
        return [run for run in self.state.open_imports(item.client_id) if run.holds(item)]

    def add(self, run: Import, **numbers: int) -> None:
        """Let an import's numbers grow."""
        counts = dict(run.counts)
        for name, grown in numbers.items():
            counts[name] += grown
        self.put_import(replace(run, counts=counts))

    def list_items(self, run: Import, item_ids: Iterable[str], left_out: int) -> Import:
        """The import's list is known: from here on it counts the items of its list."""
        listed = frozenset(item_ids)
        held = [item for item_id in listed if (item := self.state.items.get(item_id))]
        held = [item for item in held if item.client_id == run.client_id]
        states = Counter(item.state for item in held)
        counts: dict[str, int] = {**run.counts, "left_out": left_out}
        counts.update((state, states[state]) for state in _STATES)
        brought = sum(item.staged_from >= run.started_from for item in held)
        run = replace(run, listed=listed, unstaged=len(listed) - brought, counts=counts)
        self.put_import(run)
        return run

    def complete_imports(self) -> None:
        """Whatever is staged in full and dealt with, is complete."""
        for import_id in self.imports:
            run = self.state.imports[import_id]
            if run.listed is not None and not run.unstaged and not run.counts["pending"] and run.is_open:
                self.put_import(replace(run, status="completed"))

    def _recount(self, run: Import, before: Item | None, after: Item, *, staged: bool) -> None:
        was = before.state if before and run.holds(before) else None
        now = after.state if run.holds(after) else None
        brought = (
            run.listed is not None
            and after.item_id in run.listed
            and after.staged_from >= run.started_from
            and (before is None or before.staged_from < run.started_from)
        )
        if was == now and not brought and not staged:
            if was is not None:
                self.imports.add(run.import_id)
            return
        counts = dict(run.counts)
        counts["staged"] += staged
        if was is not None:
            counts[was] -= 1
        if now is not None:
            counts[now] += 1
        self.put_import(replace(run, counts=counts, unstaged=run.unstaged - brought))

    def _move_email(self, before: str | None, after: str | None, holder: Holder) -> None:
        old = normalised(before) if before is not None else None
        new = normalised(after) if after is not None else None
        if old != new and old is not None and self.state.holders.get(old) == holder:
            self.state.free_email(old)
        if new is not None and self.state.holders.get(new) != holder:
            self.state.hold_email(new, holder)


_STATES: tuple[ItemState, ...] = ("pending", "imported", "linked", "ignored", "attached", "withdrawn")


def withdrawn(item: Item, reason: str) -> Item:
    """The item as it is when it is no longer there to decide."""
    return replace(
        item,
        state="withdrawn",
        reason=reason,
        member_id=None,
        attached_by=None,
        decided_by=None,
        decided_at=None,
    )


def _held(member: Member) -> str | None:
    return member.details.get("email") if member.co_owner and not member.removed else None


def _unlinked(member: Member) -> Mapping[str, Origin]:
    return {
        field: {"by": "portal" if origin["by"] == "staff" else origin["by"]}
        for field, origin in member.provenance.items()
        if field in member.details
    }
