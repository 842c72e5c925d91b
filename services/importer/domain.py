"""From what XPM holds to the facts of an import; pure, and the same facts have the same ids whenever they are made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from schemas.codec import encode, envelope
from schemas.envelope import EventData
from schemas.fields import timestamp
from schemas.ids import derived_id, item_id
from schemas.imports import (
    ConnectionChanged,
    ConnectionPersonal,
    EntityStaged,
    FailureReason,
    ImportFailed,
    ImportStaged,
    ImportStarted,
    ImportWaiting,
    ItemStaged,
    LeftOut,
    WaitReason,
)
from schemas.people import EntityDetails, PersonDetails
from services.importer.xpm import records
from services.importer.xpm.directions import STANDARD, Directions, distinct

SOURCE = "/muster/importer"
ConnectionState = Literal["connected", "reconnect_required", "disconnected"]

_OF_A_PERSON = tuple(PersonDetails.model_fields)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Request:
    """An import to be worked off. `requested_at` is the broker's timestamp, in milliseconds since 1970 (UTC)."""

    tenant_id: str
    import_id: str
    client_id: str
    xpm_client_id: str | None
    requested_by: str
    bulk_id: str | None
    requested_at: int


@dataclass(frozen=True, slots=True)
class Party:
    """A party as read, or None where XPM would not give it; `as_of` is when it was read, or at least tried."""

    record: records.Client | None
    as_of: datetime | None


UNREAD = Party(record=None, as_of=None)


def started(request: Request) -> bytes:
    """`ImportStarted`, published before the first read of XPM."""
    fact = ImportStarted(
        **_whose(request),
        xpm_client_id=request.xpm_client_id,
        requested_by=request.requested_by,
        bulk_id=request.bulk_id,
    )
    return _fact(request, fact, "started")


def waiting(request: Request, wait: int, until: datetime, why: WaitReason) -> bytes:
    """`ImportWaiting` for the import's `wait`-th wait."""
    fact = ImportWaiting(**_whose(request), until=instant(until), why=why)
    return _fact(request, fact, "waiting", wait)


def failed(request: Request, reason: FailureReason, message: str) -> bytes:
    """`ImportFailed`: the whole set of an import that stages nothing."""
    return _fact(request, ImportFailed(**_whose(request), reason=reason, message=message), "ended")


def staged(
    request: Request,
    client: records.Client,
    parties: Mapping[str, Party],
    today: date,
    words: Directions = STANDARD,
) -> list[bytes]:
    """The whole set of an import: the client's own details, one item per relationship, and the complete list.

    Left out and counted are relationships that ended before `today`, those whose party is deleted in XPM, and those of
    whose party nothing is known, not even a name. The same relationship twice on one record is one item, also under two
    ids if it says the same by the practice's reading of `words`. The client has a name.
    """
    left_out = {"ended": 0, "party_deleted": 0, "unreadable": client.unreadable_relationships}
    items: dict[str, Mapping[str, Any]] = {}
    for relationship in distinct(client.relationships, words):
        party = parties.get(relationship.xpm_party_id, UNREAD)
        why = _why_left_out(relationship, party, today)
        if why:
            left_out[why] += 1
        else:
            item = _item(request, relationship, party)
            items.setdefault(item["item_id"], item)
    complete = ImportStaged(
        **_whose(request),
        xpm_client_id=_xpm_client(request),
        item_ids=list(items),
        left_out=LeftOut(**left_out),
    )
    return [
        _fact(request, _entity(request, client), "entity"),
        *(_item_staged(request, item) for item in items.values()),
        _fact(request, complete, "ended"),
    ]


def parties_to_read(client: records.Client, today: date) -> list[str]:
    """Whose records the set needs, each once."""
    current = (tie for tie in client.relationships if not is_over(tie, today))
    return list(dict.fromkeys(tie.xpm_party_id for tie in current))


def is_over(relationship: records.Relationship, today: date) -> bool:
    """Whether the relationship's last day has passed."""
    return relationship.end_date is not None and date.fromisoformat(relationship.end_date) < today


def connection_changed(
    *,
    tenant_id: str,
    event_id: str,
    connection_id: str,
    state: ConnectionState,
    practice_name: str | None,
    changed_at: datetime,
    changed_by: str | None = None,
    message: str | None = None,
) -> bytes:
    """`ConnectionChanged`, to be stored with the change. `message` says what staff have to do about it."""
    fact = ConnectionChanged(
        connection_id=connection_id,
        state=state,
        changed_by=changed_by,
        message=message,
        personal=ConnectionPersonal(practice_name=practice_name) if practice_name else None,
    )
    return encode(
        fact,
        id=event_id,
        source=SOURCE,
        time=instant(changed_at),
        subject=f"connections/{connection_id}",
        tenant_id=tenant_id,
    )


def given(
    tenant_id: str, connection_id: str, practice_name: str | None, changes: int, changed_at: datetime
) -> bytes:
    """`ConnectionChanged` for a connection that the environment gives: the tenant's `changes`-th such change."""
    return connection_changed(
        tenant_id=tenant_id,
        event_id=derived_id(tenant_id, "connection", connection_id, "connected", practice_name, changes),
        connection_id=connection_id,
        state="connected",
        practice_name=practice_name,
        changed_at=changed_at,
    )


def _why_left_out(relationship: records.Relationship, party: Party, today: date) -> str | None:
    if is_over(relationship, today):
        return "ended"
    if party.record and party.record.deleted:
        return "party_deleted"
    return None if _name(relationship, party) else "unreadable"


def _item(request: Request, relationship: records.Relationship, party: Party) -> dict[str, Any]:
    """The data of `ItemStaged`, in its order."""
    return {
        **_whose(request),
        "item_id": item_id(
            request.tenant_id,
            request.client_id,
            xpm_relationship_id=relationship.xpm_relationship_id,
            xpm_party_id=relationship.xpm_party_id,
            relationship_type=relationship.type,
            start_date=relationship.start_date,
        ),
        "xpm_client_id": _xpm_client(request),
        "xpm_party_id": relationship.xpm_party_id,
        "relationship": {
            "xpm_relationship_id": relationship.xpm_relationship_id,
            "type": relationship.type,
            "start_date": relationship.start_date,
            "end_date": relationship.end_date,
            "number_of_shares": relationship.number_of_shares,
            "percentage": relationship.percentage,
        },
        "archived": party.record.archived if party.record else False,
        "stub": party.record is None,
        "details_as_of": instant(party.as_of) if party.as_of else None,
        "personal": _person(relationship, party),
    }


def _item_staged(request: Request, item: Mapping[str, Any]) -> bytes:
    """Checked by its schema and written as it is: an import has many, and models of them would be made to be dumped."""
    ItemStaged.__pydantic_validator__.validate_python(item)
    return _event(request, ItemStaged.TYPE, item, "item", item["item_id"])


def _name(relationship: records.Relationship, party: Party) -> str | None:
    return (party.record.details.name if party.record else None) or relationship.party_name


def _person(relationship: records.Relationship, party: Party) -> dict[str, str]:
    """A person has one address: the postal one where there is no other."""
    details = party.record.details if party.record else records.Details()
    known = vars(details) | {
        "name": _name(relationship, party),
        "address": details.address or details.postal_address,
    }
    return {field: known[field] for field in _OF_A_PERSON if known[field]}


def _entity(request: Request, client: records.Client) -> EntityStaged:
    return EntityStaged(
        **_whose(request),
        xpm_client_id=_xpm_client(request),
        personal=EntityDetails(**client.details.model_dump(exclude_none=True)),
    )


def _xpm_client(request: Request) -> str:
    """The id as the portal spells it: the resolver compares it with the client's."""
    assert request.xpm_client_id is not None
    return request.xpm_client_id


def _whose(request: Request) -> dict[str, str]:
    return {
        "import_id": request.import_id,
        "client_id": request.client_id,
        "requested_at": timestamp(request.requested_at),
    }


def _fact(request: Request, fact: EventData, *what: str | int) -> bytes:
    return _event(request, fact.TYPE, fact.model_dump(exclude_unset=True), *what)


def _event(request: Request, type_name: str, data: Mapping[str, Any], *what: str | int) -> bytes:
    return envelope(
        type_name,
        data,
        id=derived_id(request.tenant_id, "import", request.import_id, *what),
        source=SOURCE,
        time=timestamp(request.requested_at),
        subject=f"imports/{request.import_id}",
        tenant_id=request.tenant_id,
        causation_id=request.import_id,
    )


def instant(moment: datetime) -> str:
    """The moment as the wire writes it."""
    return timestamp((moment - _EPOCH) // _MILLISECOND)
