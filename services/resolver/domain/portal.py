"""Rule 1: the facts of the portal."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from schemas.portal import ClientAdded, MemberRecorded, MemberRemoved
from services.resolver.domain.change import Change, withdrawn
from services.resolver.domain.email import is_email, normalised
from services.resolver.domain.entities import Client, Details, Holder, Member, Origin, Provenance
from services.resolver.domain.reasons import Refusal

REPOINTED = "client_repointed"


def client_added(change: Change, data: ClientAdded) -> None:
    """Create or amend a client."""
    change.client_id = data.client_id
    before = change.state.clients.get(data.client_id)
    sent = data.personal.given()
    account = sent.pop("account_email", None)
    _check_client(change, data, before, account)
    client = before or Client(data.client_id)
    details, provenance = _typed(client.details, client.provenance, sent)
    repointed = "xpm_client_id" in data.model_fields_set and client.xpm_client_id != data.xpm_client_id
    change.put_client(
        replace(
            client,
            details=details,
            provenance=provenance,
            account_email=account
            if "account_email" in data.personal.model_fields_set
            else client.account_email,
            xpm_client_id=data.xpm_client_id if repointed else client.xpm_client_id,
        )
    )
    if repointed and client.xpm_client_id is not None:
        _part_from_xpm(change, client)


def member_recorded(change: Change, data: MemberRecorded) -> None:
    """Record a member by hand, or amend one."""
    change.client_id = data.client_id
    _known_client(change, data.client_id)
    known = data.member_id in change.state.members
    before = _member_of(change, data.client_id, data.member_id) if known else None
    sent = data.personal.given()
    if "relationship" in data.model_fields_set:
        sent["relationship"] = data.relationship
    if before is None and sent.get("name") is None:
        raise Refusal("name_required")
    member = before or Member(data.member_id, data.client_id)
    linked = change.state.link_of_member(data.member_id) is not None
    change_fields = _kept if linked else _typed
    details, provenance = change_fields(member.details, member.provenance, sent)
    co_owner = member.co_owner if data.co_owner is None else data.co_owner
    check_email_sent(sent.get("email"))
    if co_owner:
        check_co_owner_email(change, details.get("email"), Holder(data.client_id, data.member_id))
    change.put_member(replace(member, details=details, provenance=provenance, co_owner=co_owner))


def member_removed(change: Change, data: MemberRemoved) -> None:
    """Remove a member: its e-mail is free and its link ends."""
    change.client_id = data.client_id
    _known_client(change, data.client_id)
    _member_of(change, data.client_id, data.member_id)
    link = change.state.link_of_member(data.member_id)
    if link:
        change.end_link(link, "member_removed")
    member = change.state.members[data.member_id]
    change.put_member(replace(member, removed=True, co_owner=False))


def staff_origin(xpm: str | None) -> Origin:
    """Where a value comes from that staff changed: at later imports it is kept, and shown beside what XPM has."""
    return {"by": "staff"} if xpm is None else {"by": "staff", "xpm": xpm}


def check_email_sent(email: str | None) -> None:
    """An e-mail that a command brings has to be one."""
    if email is not None and not is_email(email):
        raise Refusal("email_invalid")


def check_co_owner_email(change: Change, email: str | None, holder: Holder) -> None:
    """A co-owner needs an e-mail that nobody else of the practice signs in with."""
    if email is None:
        raise Refusal("email_required")
    if not is_email(email):
        raise Refusal("email_invalid")
    _check_free(change, email, holder)


def _check_free(change: Change, email: str, holder: Holder) -> None:
    if change.state.holders.get(normalised(email), holder) != holder:
        raise Refusal("email_taken")


def _check_client(change: Change, data: ClientAdded, before: Client | None, account: str | None) -> None:
    if before is None and data.personal.name is None:
        raise Refusal("name_required")
    if data.xpm_client_id is not None:
        other = change.state.client_of_xpm(data.xpm_client_id)
        if other and other.client_id != data.client_id:
            raise Refusal("xpm_client_taken")
    check_email_sent(account)
    check_email_sent(data.personal.email)
    if account is not None:
        _check_free(change, account, Holder(data.client_id))


def _known_client(change: Change, client_id: str) -> None:
    if client_id not in change.state.clients:
        raise Refusal("client_not_found")


def _member_of(change: Change, client_id: str, member_id: str) -> Member:
    member = change.state.members.get(member_id)
    if member is None or member.client_id != client_id:
        raise Refusal("member_not_found")
    if member.removed:
        raise Refusal("member_removed")
    return member


def _part_from_xpm(change: Change, client: Client) -> None:
    for link in change.state.links_of_client(client.client_id):
        change.end_link(link, REPOINTED)
    for item in change.state.items_of_client(client.client_id):
        if item.state == "pending":
            change.put_item(withdrawn(item, REPOINTED))


def _typed(
    details: Details, provenance: Provenance, sent: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, Origin]]:
    """The details as typed in the portal, where nothing is known of XPM."""
    values, origins = dict(details), dict(provenance)
    for field, value in sent.items():
        if value == values.get(field):
            continue
        values.pop(field, None)
        origins.pop(field, None)
        if value is not None:
            values[field] = value
            origins[field] = {"by": "portal"}
    return values, origins


def _kept(
    details: Details, provenance: Provenance, sent: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, Origin]]:
    """The details of a linked member: what staff change here is kept at later imports."""
    values, origins = dict(details), dict(provenance)
    for field, value in sent.items():
        if value == values.get(field):
            continue
        values.pop(field, None)
        if value is not None:
            values[field] = value
        origins[field] = staff_origin(origins[field].get("xpm") if field in origins else None)
    return values, origins
