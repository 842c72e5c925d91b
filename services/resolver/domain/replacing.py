"""Rule 8: what XPM has replaces what the portal has, unless staff changed it or it is a co-owner's e-mail."""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from services.resolver.domain.change import Change, Replacement
from services.resolver.domain.entities import Client, Details, Member, Origin

PERSON_FIELDS = ("name", "title", "email", "phone", "date_of_birth", "address", "gender")
ALL_FIELDS = (*PERSON_FIELDS, "relationship")


def take_over(
    change: Change, member: Member, xpm: Mapping[str, str], fields: Iterable[str] = ALL_FIELDS
) -> Member:
    """The member with XPM's values in the named fields, as far as they may replace its own."""
    details = dict(member.details)
    provenance = dict(member.provenance)
    for field in fields:
        value = xpm.get(field)
        if value is None:
            _forget(provenance, field)
            continue
        origin = provenance.get(field)
        if origin is not None and origin["by"] == "staff":
            provenance[field] = {"by": "staff", "xpm": value}
        elif field == "email" and member.co_owner:
            provenance[field] = {"by": origin["by"] if origin else "portal", "xpm": value}
        else:
            _note(change, "member", member.member_id, field, details.get(field), value)
            details[field] = value
            provenance[field] = {"by": "xpm", "xpm": value}
    return replace(member, details=details, provenance=provenance)


def take_over_entity(change: Change, client: Client, xpm: Details) -> Client:
    """The client with XPM's values for whatever XPM has; asking for the import was the consent."""
    for field, value in xpm.items():
        _note(change, "client", client.client_id, field, client.details.get(field), value)
    provenance = {**client.provenance, **{field: Origin(by="xpm") for field in xpm}}
    return replace(client, details={**client.details, **xpm}, provenance=provenance)


def _forget(provenance: dict[str, Origin], field: str) -> None:
    if field in provenance:
        provenance[field] = {"by": provenance[field]["by"]}


def _note(change: Change, of: str, entity_id: str, field: str, before: str | None, after: str) -> None:
    if before is not None and before != after:
        change.replacements.append(Replacement(of, entity_id, field, before, after))
