"""What is published of a record: its outcome, written so that the same record in the same state gives the same bytes.

Built as plain dictionaries, since one is written for every record; a test reads each of them back through the schema.
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from schemas.codec import envelope
from schemas.fields import timestamp
from schemas.imports import ConnectionChanged
from schemas.outcomes import OutcomeRecorded
from schemas.portal import ClientAdded
from services.resolver.domain.change import Change, Replacement, withdrawn
from services.resolver.domain.entities import Client, Import, Item, Member
from services.resolver.domain.reasons import REASONS

SOURCE = "/muster/resolver"
UNDONE = "undone_by_replay"
UNDONE_MESSAGE = "After a correction of Muster this import never took place. Import the client again."
ENTRIES_OF_A_PART = 500
"""Items, members and imports together: at 130 to 400 bytes each, a part stays well under the size that is read."""


def write(
    change: Change,
    partition: int,
    swap: int,
    result: str,
    reason: str | None,
    present: Mapping[str, Any],
) -> tuple[bytes, ...]:
    """The encoded outcome, in more than one part only where very much changed."""
    answer = _answer(change, result, reason)
    first, *others = _parts(change)
    first |= _told_once(change, result, present)
    outcome = _encode(change, partition, swap, 0, 1 + len(others), answer | first)
    if not others:
        return (outcome,)
    return (
        outcome,
        *(
            _encode(change, partition, swap, number, 1 + len(others), answer | told)
            for number, told in enumerate(others, 1)
        ),
    )


def state(
    client_id: str, client_name: str | None, entry: Import | Item | Member, *, gone: bool
) -> dict[str, Any]:
    """What a swap tells of an import, item or member whose present state differs; `gone` if it is no longer there.

    What is gone can only be told as over: an item as withdrawn, an import as failed, a member as removed.
    """
    told: dict[str, Any] = {"result": "applied", "client_id": client_id}
    match entry:
        case Import():
            told["imports"] = [_import(_undone(entry) if gone else entry)]
        case Item():
            told["items"] = [_item(withdrawn(entry, UNDONE) if gone else entry)]
        case Member():
            told["members"] = [_member(replace(entry, removed=True) if gone else entry)]
    if client_name is not None:
        told["personal"] = {"client_name": client_name}
    return told


def write_state(
    told: Mapping[str, Any], *, tenant_id: str, partition: int, offset: int, swap: int, number: int, at: int
) -> bytes:
    """The encoded outcome of a state: it stands behind the last record before the swap."""
    return envelope(
        OutcomeRecorded.TYPE,
        {"partition": partition, "version": {"offset": offset, "swap": swap}, "part": 0, "parts": 1, **told},
        id=f"{tenant_id}/{partition}/{offset}/{swap}/state/{number}",
        source=SOURCE,
        time=timestamp(at),
        subject=f"journal/{partition}/{offset}",
        tenant_id=tenant_id,
    )


def _undone(run: Import) -> Import:
    return replace(
        run,
        status="failed",
        reason=UNDONE,
        message=UNDONE_MESSAGE,
        waiting_until=None,
        waiting_why=None,
    )


def _lists(change: Change) -> dict[str, list[dict[str, Any]]]:
    """What changed, in lists by kind; sorted, so that no order of loading shows."""
    lists: dict[str, list[dict[str, Any]]] = {}
    if change.imports:
        lists["imports"] = [_import(change.state.imports[import_id]) for import_id in sorted(change.imports)]
    if change.members:
        lists["members"] = [_member(change.members[member_id]) for member_id in sorted(change.members)]
    if change.items:
        lists["items"] = [_item(change.items[item_id]) for item_id in sorted(change.items)]
    return lists


def _parts(change: Change) -> list[dict[str, Any]]:
    lists = _lists(change)
    if len(change.imports) + len(change.members) + len(change.items) <= ENTRIES_OF_A_PART:
        return [lists]
    parts: list[dict[str, Any]] = [{}]
    entries = [(name, entry) for name, some in lists.items() for entry in some]
    for number, (name, entry) in enumerate(entries):
        if number and number % ENTRIES_OF_A_PART == 0:
            parts.append({})
        parts[-1].setdefault(name, []).append(entry)
    return parts


def _encode(
    change: Change, partition: int, swap: int, part: int, parts: int, told: Mapping[str, Any]
) -> bytes:
    event = change.event
    return envelope(
        OutcomeRecorded.TYPE,
        {
            "partition": partition,
            "version": {"offset": change.offset, "swap": swap},
            "part": part,
            "parts": parts,
            **told,
        },
        id=f"{event.tenant_id}/{partition}/{change.offset}/{swap}/{part}",
        source=SOURCE,
        time=timestamp(change.at),
        subject=f"journal/{partition}/{change.offset}",
        tenant_id=event.tenant_id,
        causation_id=event.id,
    )


def _answer(change: Change, result: str, reason: str | None) -> dict[str, Any]:
    """Whom the outcome answers, and how: said in every part."""
    event = change.event
    answer: dict[str, Any] = {
        "record": {
            "id": event.id,
            "type": event.type,
            "subject": event.subject,
            "at": timestamp(change.at),
        },
        "result": result,
    }
    if reason is not None:
        answer["reason"] = reason
        answer["message"] = REASONS[reason]
    if change.client_id is not None:
        answer["client_id"] = change.client_id
    return answer


def _told_once(change: Change, result: str, present: Mapping[str, Any]) -> dict[str, Any]:
    """What only the first part says."""
    told: dict[str, Any] = {}
    data = change.event.data
    if "earlier" in present:
        told["earlier"] = present["earlier"]
    if change.client and type(data) is ClientAdded:
        told["client"] = _client(change.client, data, created=change.client_created)
    if personal := _personal(change, present):
        told["personal"] = personal
    if result == "applied" and type(data) is ConnectionChanged:
        told |= _connection(data)
    return told


def _personal(change: Change, present: Mapping[str, Any]) -> dict[str, Any]:
    personal: dict[str, Any] = {}
    client = change.state.clients.get(change.client_id) if change.client_id else None
    if client:
        personal["client_name"] = client.details["name"]
    if change.replacements:
        personal["replaced"] = [_replaced(each) for each in change.replacements]
    personal.update(present.get("personal", {}))
    return personal


def _client(client: Client, data: ClientAdded, *, created: bool) -> dict[str, Any]:
    told = {"xpm_client_id": client.xpm_client_id, "created": created, "added_by": data.added_by}
    return {name: value for name, value in told.items() if value is not None}


def _connection(data: ConnectionChanged) -> dict[str, Any]:
    told: dict[str, Any] = {"connection": data.model_dump(exclude_none=True, exclude={"personal"})}
    if data.personal and data.personal.practice_name:
        told["personal"] = {"practice_name": data.personal.practice_name}
    return told


def _import(run: Import) -> dict[str, Any]:
    told: dict[str, Any] = {
        "import_id": run.import_id,
        "status": run.status,
        "requested_by": run.requested_by,
        "requested_at": timestamp(run.requested_at),
    }
    if run.bulk_id is not None:
        told["bulk_id"] = run.bulk_id
    if run.waiting_until is not None:
        told["waiting"] = {"until": timestamp(run.waiting_until), "why": run.waiting_why}
    if run.reason is not None:
        told["reason"] = run.reason
    if run.message is not None:
        told["message"] = run.message
    told["counts"] = run.counts
    return told


def _item(item: Item) -> dict[str, Any]:
    told: dict[str, Any] = {
        "item_id": item.item_id,
        "import_id": item.import_id,
        "xpm_party_id": item.xpm_party_id,
        "state": item.state,
        "digest": item.digest,
    }
    if item.reason is not None:
        told["reason"] = item.reason
    if item.member_id is not None:
        told["member_id"] = item.member_id
    return told


def _member(member: Member) -> dict[str, Any]:
    return {
        "member_id": member.member_id,
        "digest": member.digest,
        "co_owner": member.co_owner,
        "removed": member.removed,
    }


def _replaced(each: Replacement) -> dict[str, str]:
    return {"of": each.of, "id": each.id, "field": each.field, "before": each.before, "after": each.after}
