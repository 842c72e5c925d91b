"""Portal facts: clients and members, as portal backends publish them."""

from tests.support.model.addresses import is_email
from tests.support.model.linking import end_link, put
from tests.support.model.practice import Practice, Turn, sent, was_sent
from tests.support.model.records import Refused, Row


def client_added(practice: Practice, turn: Turn) -> None:
    data, fields = turn.data, sent(turn.data.personal)
    client = practice.clients.get(data.client_id)
    _check_client(practice, turn, fields, client)
    if client is None:
        client = practice.clients[data.client_id] = {
            "tenant_id": practice.tenant_id,
            "client_id": data.client_id,
            "xpm_client_id": None,
            "account_email": None,
            "details": {},
            "provenance": {},
            "details_from": None,
            "staged_from": None,
        }
    if "account_email" in fields:
        client["account_email"] = fields.pop("account_email")
    for name, value in fields.items():
        _set_by_portal(client, name, value)
    if was_sent(data, "xpm_client_id"):
        _point(practice, client, data.xpm_client_id)


def _check_client(practice: Practice, turn: Turn, fields: Row, client: Row | None) -> None:
    data = turn.data
    if client is None and "name" not in fields:
        raise Refused("name_required")
    others = [each for each in practice.clients.values() if each is not client]
    if data.xpm_client_id is not None and data.xpm_client_id in [each["xpm_client_id"] for each in others]:
        raise Refused("xpm_client_taken")
    account_email, email = fields.get("account_email"), fields.get("email")
    if not all(is_email(each) for each in (account_email, email) if each is not None):
        raise Refused("email_invalid")
    if account_email is not None and practice.is_held_by_another(
        account_email, client_id=data.client_id, member_id=None
    ):
        raise Refused("email_taken")


def _set_by_portal(row: Row, name: str, value: str | None) -> None:
    if value == row["details"].get(name):
        return
    if value is None:
        del row["details"][name]
        del row["provenance"][name]
    else:
        row["details"][name] = value
        row["provenance"][name] = {"by": "portal"}


def _point(practice: Practice, client: Row, xpm_client_id: str | None) -> None:
    before, client["xpm_client_id"] = client["xpm_client_id"], xpm_client_id
    if before is None or before == xpm_client_id:
        return
    for item in practice.items_of(client["client_id"]):
        if item["state"] == "pending":
            put(item, "withdrawn", reason="client_repointed")
    for link in list(practice.links.values()):
        if link["client_id"] == client["client_id"]:
            end_link(practice, link, "client_repointed")


def member_recorded(practice: Practice, turn: Turn) -> None:
    data, fields = turn.data, sent(turn.data.personal)
    if was_sent(data, "relationship"):
        fields["relationship"] = data.relationship
    member = practice.members.get(data.member_id)
    if data.client_id not in practice.clients:
        raise Refused("client_not_found")
    if member is not None:
        _check_member(member, data.client_id)
    elif "name" not in fields:
        raise Refused("name_required")
    co_owner = data.co_owner if data.co_owner is not None else bool(member and member["co_owner"])
    _check_email(practice, turn, fields, member, co_owner=co_owner)
    if member is None:
        member = practice.members[data.member_id] = {
            "tenant_id": practice.tenant_id,
            "member_id": data.member_id,
            "client_id": data.client_id,
            "removed": False,
            "details": {},
            "provenance": {},
        }
    member["co_owner"] = co_owner
    linked = practice.link_of(data.member_id) is not None
    for name, value in fields.items():
        if linked:
            _set_by_staff(member, name, value)
        else:
            _set_by_portal(member, name, value)


def _check_member(member: Row, client_id: str) -> None:
    if member["client_id"] != client_id:
        raise Refused("member_not_found")
    if member["removed"]:
        raise Refused("member_removed")


def _check_email(practice: Practice, turn: Turn, fields: Row, member: Row | None, *, co_owner: bool) -> None:
    if fields.get("email") is not None and not is_email(fields["email"]):
        raise Refused("email_invalid")
    if not co_owner:
        return
    email = fields.get("email") if "email" in fields else member and member["details"].get("email")
    if not email:
        raise Refused("email_required")
    if not is_email(email):
        raise Refused("email_invalid")
    if practice.is_held_by_another(email, client_id=turn.data.client_id, member_id=turn.data.member_id):
        raise Refused("email_taken")


def _set_by_staff(member: Row, name: str, value: str | None) -> None:
    if value == member["details"].get(name):
        return
    if value is None:
        del member["details"][name]
    else:
        member["details"][name] = value
    member["provenance"].setdefault(name, {})["by"] = "staff"


def member_removed(practice: Practice, turn: Turn) -> None:
    data = turn.data
    if data.client_id not in practice.clients:
        raise Refused("client_not_found")
    member = practice.members.get(data.member_id)
    if member is None:
        raise Refused("member_not_found")
    _check_member(member, data.client_id)
    member.update(removed=True, co_owner=False)
    link = practice.link_of(data.member_id)
    if link is not None:
        end_link(practice, link, "member_removed")
