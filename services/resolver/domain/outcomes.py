"""What is published of a record: its outcome, written so that the same record in the same state gives the same bytes.

Built of structs, since one is written for every record; a test reads each of them back through the schema.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, to_builtins
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


class Version(Struct, gc=False):
    offset: int
    swap: int


class Answered(Struct, gc=False):
    id: str
    type: str
    subject: str
    at: str


class Waiting(Struct, gc=False):
    until: str
    why: str | None


class ToldImport(Struct, omit_defaults=True, gc=False):
    import_id: str
    status: str
    requested_by: str
    requested_at: str
    bulk_id: str | None = None
    waiting: Waiting | None = None
    reason: str | None = None
    message: str | None = None
    counts: Mapping[str, int] | None = None


class ToldMember(Struct, gc=False):
    member_id: str
    digest: str
    co_owner: bool
    removed: bool


class ToldItem(Struct, omit_defaults=True, gc=False):
    item_id: str
    import_id: str
    xpm_party_id: str
    state: str
    digest: str
    reason: str | None = None
    member_id: str | None = None


class Told(Struct, omit_defaults=True, gc=False):
    """`OutcomeRecorded`, in the order in which it is written."""

    partition: int
    version: Version
    part: int
    parts: int
    record: Answered
    result: str
    reason: str | None = None
    message: str | None = None
    client_id: str | None = None
    imports: list[ToldImport] | None = None
    members: list[ToldMember] | None = None
    items: list[ToldItem] | None = None
    earlier: Mapping[str, Any] | None = None
    client: Mapping[str, Any] | None = None
    connection: Mapping[str, Any] | None = None
    personal: Mapping[str, Any] | None = None


def write(
    change: Change,
    partition: int,
    swap: int,
    result: str,
    reason: str | None,
    present: Mapping[str, Any],
) -> tuple[bytes, ...]:
    """The encoded outcome, in more than one part only where very much changed."""
    told = _told(change, partition, swap, result, reason, present)
    if len(change.imports) + len(change.members) + len(change.items) <= ENTRIES_OF_A_PART:
        return (_encode(change, told),)
    return tuple(_encode(change, part) for part in _parts(told))


def state(
    client_id: str, client_name: str | None, entry: Import | Item | Member, *, gone: bool
) -> dict[str, Any]:
    """What a swap tells of an import, item or member whose present state differs; `gone` if it is no longer there.

    What is gone can only be told as over: an item as withdrawn, an import as failed, a member as removed.
    """
    told: dict[str, Any] = {"result": "applied", "client_id": client_id}
    match entry:
        case Import():
            told["imports"] = [to_builtins(_import(_undone(entry) if gone else entry))]
        case Item():
            told["items"] = [to_builtins(_item(withdrawn(entry, UNDONE) if gone else entry))]
        case Member():
            told["members"] = [to_builtins(_member(replace(entry, removed=True) if gone else entry))]
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


def _told(
    change: Change,
    partition: int,
    swap: int,
    result: str,
    reason: str | None,
    present: Mapping[str, Any],
) -> Told:
    """All of it in one. Lists are sorted, so that no order of loading shows."""
    event, data = change.event, change.event.data
    told = Told(
        partition,
        Version(change.offset, swap),
        0,
        1,
        Answered(event.id, event.type, event.subject, timestamp(change.at)),
        result,
        reason,
        REASONS[reason] if reason is not None else None,
        change.client_id,
    )
    if change.imports:
        told.imports = [_import(change.state.imports[import_id]) for import_id in sorted(change.imports)]
    if change.members:
        told.members = [_member(change.members[member_id]) for member_id in sorted(change.members)]
    if change.items:
        told.items = [_item(change.items[item_id]) for item_id in sorted(change.items)]
    if present:
        told.earlier = present.get("earlier")
    if change.client and type(data) is ClientAdded:
        told.client = _client(change.client, data, created=change.client_created)
    told.personal = _personal(change, present) or None
    if result == "applied" and type(data) is ConnectionChanged:
        told.connection = data.model_dump(exclude_none=True, exclude={"personal"})
        if data.personal and data.personal.practice_name:
            told.personal = {"practice_name": data.personal.practice_name}
    return told


def _parts(told: Told) -> Iterator[Told]:
    """Cut it where a part is full. All of them say whom they answer, and how; what else is not in lists, the first."""
    nothing = dict.fromkeys(("imports", "members", "items"))
    entries = [(name, entry) for name in nothing for entry in getattr(told, name) or ()]
    starts = range(0, len(entries), ENTRIES_OF_A_PART)
    for part, start in enumerate(starts):
        lists: dict[str, list[Any]] = {}
        for name, entry in entries[start : start + ENTRIES_OF_A_PART]:
            lists.setdefault(name, []).append(entry)
        yield replace(told, part=part, parts=len(starts), **(nothing | lists))
        told = replace(told, earlier=None, client=None, connection=None, personal=None)


def _encode(change: Change, told: Told) -> bytes:
    event, where = change.event, f"{told.partition}/{change.offset}"
    return envelope(
        OutcomeRecorded.TYPE,
        told,
        id=f"{event.tenant_id}/{where}/{told.version.swap}/{told.part}",
        source=SOURCE,
        time=told.record.at,
        subject=f"journal/{where}",
        tenant_id=event.tenant_id,
        causation_id=event.id,
    )


def _personal(change: Change, present: Mapping[str, Any]) -> dict[str, Any]:
    personal: dict[str, Any] = {}
    client = change.state.clients.get(change.client_id) if change.client_id else None
    if client:
        personal["client_name"] = client.details["name"]
    if change.replacements:
        personal["replaced"] = [_replaced(each) for each in change.replacements]
    if present:
        personal.update(present.get("personal", {}))
    return personal


def _client(client: Client, data: ClientAdded, *, created: bool) -> dict[str, Any]:
    told = {"xpm_client_id": client.xpm_client_id, "created": created, "added_by": data.added_by}
    return {name: value for name, value in told.items() if value is not None}


def _import(run: Import) -> ToldImport:
    until = run.waiting_until
    return ToldImport(
        run.import_id,
        run.status,
        run.requested_by,
        timestamp(run.requested_at),
        run.bulk_id,
        Waiting(timestamp(until), run.waiting_why) if until is not None else None,
        run.reason,
        run.message,
        run.counts,
    )


def _item(item: Item) -> ToldItem:
    return ToldItem(
        item.item_id,
        item.import_id,
        item.xpm_party_id,
        item.state,
        item.digest,
        item.reason,
        item.member_id,
    )


def _member(member: Member) -> ToldMember:
    return ToldMember(member.member_id, member.digest, member.co_owner, member.removed)


def _replaced(each: Replacement) -> dict[str, str]:
    return {"of": each.of, "id": each.id, "field": each.field, "before": each.before, "after": each.after}
