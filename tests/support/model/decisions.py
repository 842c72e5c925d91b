"""What staff decide about an item."""

from schemas import seen
from schemas.ids import derived_id
from tests.support.model.addresses import is_email
from tests.support.model.linking import details_of, make_link, put, replace
from tests.support.model.practice import Practice, Turn, sent, was_sent
from tests.support.model.records import Refused, Row


def item_digest(item: Row) -> str:
    return seen.item_digest(
        item["personal"], item["relationship"], archived=item["archived"], stub=item["stub"]
    )


def member_digest(member: Row) -> str:
    return seen.member_digest(member["details"], co_owner=member["co_owner"])


def _undecided(practice: Practice, turn: Turn) -> Row:
    """The item that the decision is about, if there is still something to decide."""
    item = practice.items.get(turn.data.item_id)
    if item is None:
        raise Refused("item_not_found")
    if item["state"] == "withdrawn":
        raise Refused("item_withdrawn")
    if item["state"] == "attached":
        earlier = {"state": "attached", "attached_by": item["attached_by"]}
        raise Refused("already_decided", earlier=earlier)
    if item["state"] != "pending":
        earlier = {name: item[name] for name in ("state", "decided_by", "decided_at")}
        raise Refused("already_decided", earlier=earlier)
    return item


def _decide(practice: Practice, turn: Turn, item: Row, state: str, member_id: str | None = None) -> None:
    put(item, state, member_id=member_id, decided_by=turn.data.decided_by, decided_at=turn.at)
    for run in practice.open_imports_that_hold(item):
        run["reviewed"] = True
        if run["item_ids"] is not None:
            run["status"] = "in_review"


def item_ignored(practice: Practice, turn: Turn) -> None:
    item = _undecided(practice, turn)
    _decide(practice, turn, item, "ignored")
    item["ignored"] = {"personal": dict(item["personal"]), "relationship": dict(item["relationship"])}


def item_imported(practice: Practice, turn: Turn) -> None:
    item = _undecided(practice, turn)
    fields = sent(turn.data.personal)
    if was_sent(turn.data, "relationship"):
        fields["relationship"] = turn.data.relationship
    member_id = derived_id(practice.tenant_id, "member", turn.record.event_id)
    _check_import(practice, turn, item, fields)
    if member_id in practice.members:
        raise Refused("member_exists")
    practice.members[member_id] = _member_from(practice, turn, item, fields, member_id)
    _decide(practice, turn, item, "imported", member_id)
    make_link(practice, item, member_id)


def _check_import(practice: Practice, turn: Turn, item: Row, fields: Row) -> None:
    if turn.data.seen.item != item_digest(item):
        raise Refused("changed_since_seen", present={"item": item})
    if fields.get("email") is not None and not is_email(fields["email"]):
        raise Refused("email_invalid")
    if not turn.data.co_owner:
        return
    email = fields["email"] if "email" in fields else item["personal"].get("email")
    if email is None:
        raise Refused("email_required")
    if not is_email(email):
        raise Refused("email_invalid")
    if email.lower() in practice.emails():
        raise Refused("email_taken")


def _member_from(practice: Practice, turn: Turn, item: Row, fields: Row, member_id: str) -> Row:
    member: Row = {
        "tenant_id": practice.tenant_id,
        "member_id": member_id,
        "client_id": item["client_id"],
        "co_owner": turn.data.co_owner,
        "removed": False,
        "details": {},
        "provenance": {},
    }
    for name, staged in (details_of(item) | {"relationship": item["relationship"]["type"]}).items():
        value = fields.get(name, staged)
        if value is not None:
            member["details"][name] = value
        if value is not None or staged is not None:
            member["provenance"][name] = {"by": "xpm" if value == staged else "staff"}
        if staged is not None:
            member["provenance"][name]["xpm"] = staged
    return member


def item_linked(practice: Practice, turn: Turn) -> None:
    item = _undecided(practice, turn)
    member = practice.members.get(turn.data.member_id)
    if member is None or member["client_id"] != item["client_id"]:
        raise Refused("member_not_found")
    if member["removed"]:
        raise Refused("member_removed")
    if practice.link_of(member["member_id"]) is not None:
        raise Refused("member_already_linked")
    if (turn.data.seen.item, turn.data.seen.member) != (item_digest(item), member_digest(member)):
        raise Refused("changed_since_seen", present={"item": item, "member": member})
    replace(member, details_of(item) | {"relationship": item["relationship"]["type"]}, turn)
    _decide(practice, turn, item, "linked", member["member_id"])
    make_link(practice, item, member["member_id"])
