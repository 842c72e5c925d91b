"""Members and the parties of XPM: what a link takes along, what XPM replaces, what is left afterwards."""

from collections.abc import Mapping

from tests.support.model.practice import PERSON_FIELDS, Practice, Turn
from tests.support.model.records import Replaced, Row


def make_link(practice: Practice, item: Row, member_id: str) -> None:
    """Link the item's party to the member; the party's other pending items are attached."""
    practice.links[item["client_id"], item["xpm_party_id"]] = {
        "tenant_id": practice.tenant_id,
        "client_id": item["client_id"],
        "xpm_party_id": item["xpm_party_id"],
        "member_id": member_id,
        "item_id": item["item_id"],
        "details_from": item["staged_from"],
    }
    for other in practice.items_of(item["client_id"]):
        if other["xpm_party_id"] == item["xpm_party_id"] and other["state"] == "pending":
            put(other, "attached", member_id=member_id, attached_by=item["item_id"])


def end_link(practice: Practice, link: Row, reason: str) -> None:
    """The link goes; its items are withdrawn, and its member is the portal's alone again."""
    del practice.links[link["client_id"], link["xpm_party_id"]]
    for item in practice.items_of(link["client_id"]):
        of_the_link = item["member_id"] == link["member_id"]
        if of_the_link and item["state"] in ("imported", "linked", "attached"):
            put(item, "withdrawn", reason=reason)
    member = practice.members[link["member_id"]]
    member["provenance"] = {
        name: {"by": "portal" if mark["by"] == "staff" else mark["by"]}
        for name, mark in member["provenance"].items()
        if name in member["details"]
    }


def put(
    item: Row,
    state: str,
    *,
    reason: str | None = None,
    member_id: str | None = None,
    attached_by: str | None = None,
    decided_by: str | None = None,
    decided_at: object = None,
) -> None:
    """Put an item into a state; what is not given does not outlive the state before."""
    item.update(
        state=state,
        reason=reason,
        member_id=member_id,
        attached_by=attached_by,
        decided_by=decided_by,
        decided_at=decided_at,
    )


def details_of(item: Row) -> dict[str, str | None]:
    """What XPM has for each field of a person; None where it has nothing."""
    return {name: item["personal"].get(name) for name in PERSON_FIELDS}


def replace(member: Row, theirs: Mapping[str, str | None], turn: Turn) -> None:
    """The member takes what XPM has; what staff changed and a co-owner's e-mail are kept."""
    for name, value in theirs.items():
        mark = member["provenance"].get(name)
        if value is None:
            if mark is not None:
                mark.pop("xpm", None)
        elif mark is not None and mark["by"] == "staff":
            mark["xpm"] = value
        elif name == "email" and member["co_owner"]:
            member["provenance"][name] = {"by": mark["by"] if mark else "portal", "xpm": value}
        else:
            before = member["details"].get(name)
            if before is not None and before != value:
                turn.replaced.append(Replaced("member", member["member_id"], name, before, value))
            member["details"][name] = value
            member["provenance"][name] = {"by": "xpm", "xpm": value}
