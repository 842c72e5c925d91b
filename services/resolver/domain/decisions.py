"""Rules 9 to 12: what staff decide."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from schemas.decisions import ItemIgnored, ItemImported, ItemLinked
from schemas.fields import timestamp
from schemas.ids import derived_id
from services.resolver.domain.change import Change
from services.resolver.domain.entities import Holder, Item, Link, Member, Origin
from services.resolver.domain.portal import check_co_owner_email, check_email_sent, staff_origin
from services.resolver.domain.reasons import Refusal
from services.resolver.domain.replacing import take_over

Decision = ItemImported | ItemIgnored | ItemLinked


def item_imported(change: Change, data: ItemImported) -> None:
    """Rule 9: a new member with the confirmed or amended details, and a link."""
    _decide(change, data, lambda item: _import(change, data, item))


def item_ignored(change: Change, data: ItemIgnored) -> None:
    """The item leaves the list until the next import, and remembers what was ignored."""
    _decide(change, data, lambda item: change.put_item(_ignored(change, data, item)))


def item_linked(change: Change, data: ItemLinked) -> None:
    """Rule 10: a member that is there already is replaced by the item, and linked."""
    _decide(change, data, lambda item: _link(change, data, item))


def _decide(change: Change, data: Decision, decide: Callable[[Item], None]) -> None:
    item = change.state.items.get(data.item_id)
    if item is None:
        raise Refusal("item_not_found")
    change.client_id = item.client_id
    holding = [run.import_id for run in change.holding(item)]
    try:
        _check_pending(item)
        decide(item)
    except Refusal:
        for import_id in holding:
            change.add(change.state.imports[import_id], rejected=1)
        raise
    for import_id in holding:
        run = change.state.imports[import_id]
        status = run.status if run.listed is None else "in_review"
        change.put_import(replace(run, reviewed=True, status=status))
        if change.replacements:
            change.add(change.state.imports[import_id], replaced_fields=len(change.replacements))


def _import(change: Change, data: ItemImported, item: Item) -> None:
    _check_seen(change, item, data.seen.item == item.digest)
    member = _new_member(change, data, item)
    sent_email = data.personal.given().get("email") if data.personal else None
    check_email_sent(sent_email)
    if data.co_owner:
        holder = Holder(member.client_id, member.member_id)
        check_co_owner_email(change, member.details.get("email"), holder)
    if member.member_id in change.state.members:
        raise Refusal("member_exists")
    change.put_member(member)
    _tie(change, data, item, member.member_id, "imported")


def _link(change: Change, data: ItemLinked, item: Item) -> None:
    member = change.state.members.get(data.member_id)
    if member is None or member.client_id != item.client_id:
        raise Refusal("member_not_found")
    if member.removed:
        raise Refusal("member_removed")
    if change.state.link_of_member(data.member_id):
        raise Refusal("member_already_linked")
    same = data.seen.item == item.digest and data.seen.member == member.digest
    _check_seen(change, item, same, member)
    change.put_member(take_over(change, member, item.staged_values))
    _tie(change, data, item, member.member_id, "linked")


def _check_pending(item: Item) -> None:
    if item.state == "pending":
        return
    earlier = {
        "state": item.state,
        "decided_by": item.decided_by,
        "decided_at": timestamp(item.decided_at) if item.decided_at is not None else None,
        "attached_by": item.attached_by,
    }
    reason = "item_withdrawn" if item.state == "withdrawn" else "already_decided"
    raise Refusal(reason, earlier={name: value for name, value in earlier.items() if value is not None})


def _check_seen(change: Change, item: Item, same: bool, member: Member | None = None) -> None:  # noqa: FBT001
    if same:
        return
    change.items[item.item_id] = item
    present: dict[str, Any] = {"item": dict(sorted(item.staged_values.items()))}
    if member is not None:
        change.members[member.member_id] = member
        present["member"] = {**dict(sorted(member.details.items())), "co_owner": member.co_owner}
    raise Refusal("changed_since_seen", personal=present)


def _new_member(change: Change, data: ItemImported, item: Item) -> Member:
    staged = item.staged_values
    details = dict(staged)
    provenance: dict[str, Origin] = {field: {"by": "xpm", "xpm": value} for field, value in staged.items()}
    sent = data.personal.given() if data.personal else {}
    if "relationship" in data.model_fields_set:
        sent["relationship"] = data.relationship
    for field, value in sent.items():
        if value == staged.get(field):
            continue
        details.pop(field, None)
        if value is not None:
            details[field] = value
        provenance[field] = staff_origin(staged.get(field))
    return Member(
        member_id=derived_id(change.event.tenant_id, "member", change.event.id),
        client_id=item.client_id,
        co_owner=data.co_owner,
        details=details,
        provenance=provenance,
    )


def _tie(change: Change, data: ItemImported | ItemLinked, item: Item, member_id: str, state: str) -> None:
    change.state.put_link(Link(item.client_id, item.xpm_party_id, member_id, item.item_id, item.staged_from))
    decided: Any = {"state": state, "decided_by": data.decided_by, "decided_at": change.at}
    change.put_item(replace(item, member_id=member_id, **decided))
    for other in change.state.items_of_client(item.client_id):
        if other.state == "pending" and other.xpm_party_id == item.xpm_party_id:
            change.put_item(replace(other, state="attached", member_id=member_id, attached_by=item.item_id))


def _ignored(change: Change, data: ItemIgnored, item: Item) -> Item:
    return replace(
        item,
        state="ignored",
        decided_by=data.decided_by,
        decided_at=change.at,
        ignored={"personal": item.personal, "relationship": item.relationship},
    )
