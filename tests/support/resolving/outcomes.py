"""What the resolver told of a record, held against what the model answered."""

from collections.abc import Collection, Sequence
from typing import Any

from schemas.codec import Event
from schemas.fields import timestamp
from schemas.imports import ConnectionChanged
from schemas.outcomes import OutcomeRecorded
from schemas.portal import ClientAdded
from tests.support.journals.entries import Entry
from tests.support.model.decisions import item_digest, member_digest
from tests.support.model.fold import Answer
from tests.support.model.practice import Practice, sent, with_value
from tests.support.model.records import Record, Row
from tests.support.resolving.core import Told

ITEM = ("item_id", "import_id", "xpm_party_id", "state", "reason", "member_id")
IMPORT = ("import_id", "status", "requested_by", "bulk_id", "reason", "message", "counts")
SILENT = ("unreadable", "repeated")
"""Results without an outcome of their own; a repeated record's is that of the first."""


def assert_told(entry: Entry, answer: Answer, told: Told, swaps: Collection[int] = (0,)) -> None:
    """The verdict and everything in the outcome that the rules fix; it is told under the number of one of the swaps."""
    assert (told.result, told.reason) == (answer.result, answer.reason)
    assert (told.claims_id, told.first_offset) == (answer.claims_id, answer.first_offset)
    if answer.result in SILENT:
        assert told.parts == ()
        return
    assert answer.after is not None
    record = entry.record()
    outcome = _whole(told.parts)
    _assert_answers(record, answer, outcome, told.parts, swaps)
    _assert_rows(answer, answer.after, outcome)
    _assert_explains(answer, outcome)
    _assert_names(record, answer, answer.after, outcome)


def assert_before(answer: Answer, before: Row | None) -> None:
    """The image that is kept of the client and the members that a record changed, as they were."""
    if answer.before is None or answer.after is None:
        assert before is None
        return
    before = before or {}
    old, new = answer.before, answer.after
    members = [key for key in old.members if old.members[key] != new.members[key]]
    for key in members:
        kept = before["members"][key]
        assert {
            name: old.members[key][name] for name in ("details", "provenance", "co_owner")
        }.items() <= kept.items()
    assert members or "members" not in before
    images = ("details", "provenance", "account_email")
    clients = [
        key for key in old.clients if _image(old.clients[key], images) != _image(new.clients[key], images)
    ]
    for key in clients:
        assert before["client"] == {"client_id": key, **_image(old.clients[key], images)}


def _image(row: Row, names: Sequence[str]) -> Row:
    return {name: row[name] for name in names}


def _whole(parts: Sequence[Event[OutcomeRecorded]]) -> Row:
    """The outcome in one piece; lists go on from part to part."""
    whole: Row = parts[0].data.model_dump()
    whole["personal"] = whole["personal"] or {"replaced": []}
    for number, part in enumerate(parts):
        more = part.data.model_dump()
        assert (more["part"], more["parts"]) == (number, len(parts))
        assert all(
            more[name] == whole[name] for name in ("partition", "version", "record", "result", "reason")
        )
        if number:
            for name in ("items", "imports", "members"):
                whole[name] += more[name]
            whole["personal"]["replaced"] += (more["personal"] or {"replaced": []})["replaced"]
    return whole


def _assert_answers(
    record: Record,
    answer: Answer,
    outcome: Row,
    parts: Sequence[Event[OutcomeRecorded]],
    swaps: Collection[int],
) -> None:
    """It names its record, and its version is the record's place."""
    asked = record.document
    at = timestamp(record.timestamp)
    assert outcome["record"] == {
        "id": asked["id"],
        "type": asked["type"],
        "subject": asked["subject"],
        "at": at,
    }
    assert outcome["version"]["offset"] == record.offset
    assert outcome["version"]["swap"] in swaps
    assert outcome["partition"] == record.partition
    assert (outcome["result"], outcome["reason"]) == (answer.result, answer.reason)
    assert bool(outcome["message"]) == (answer.result != "applied")
    assert {part.tenant_id for part in parts} == {record.tenant_id}


def _assert_rows(answer: Answer, after: Practice, outcome: Row) -> None:
    """Whatever changed is in it, and whatever is in it is as it is after the record."""
    items = {row["item_id"]: row for row in outcome["items"]}
    imports = {row["import_id"]: row for row in outcome["imports"]}
    members = {row["member_id"]: row for row in outcome["members"]}
    assert answer.items.keys() <= items.keys()
    assert answer.imports.keys() <= imports.keys()
    assert answer.members.keys() <= members.keys()
    assert items == {key: _item(after.items[key]) for key in items}
    assert imports == {key: _import(after.imports[key]) for key in imports}
    assert members == {key: _member(after.members[key]) for key in members}


def _item(row: Row) -> Row:
    return {name: row[name] for name in ITEM} | {"digest": item_digest(row)}


def _import(row: Row) -> Row:
    waiting = row["waiting_until"] is not None
    return {name: row[name] for name in IMPORT} | {
        "requested_at": timestamp(row["requested_at"]),
        "waiting": {"until": timestamp(row["waiting_until"]), "why": row["waiting_why"]} if waiting else None,
    }


def _member(row: Row) -> Row:
    told: Row = {name: row[name] for name in ("member_id", "co_owner", "removed")}
    return told | {"digest": member_digest(row)}


def _assert_explains(answer: Answer, outcome: Row) -> None:
    """What was replaced, which decision came earlier, which details are the present ones."""
    replaced = [
        (each["of"], each["id"], each["field"], each["before"], each["after"]) for each in _replaced(outcome)
    ]
    assert sorted(replaced) == sorted(
        (each.of, each.id, each.field, each.before, each.after) for each in answer.replaced
    )
    if answer.earlier is not None:
        assert _given(outcome["earlier"]) == _earlier(answer.earlier)
    elif outcome["earlier"] is not None:
        assert (outcome["reason"], outcome["earlier"]["state"]) == ("item_withdrawn", "withdrawn")
    present = answer.present or {}
    personal = outcome["personal"]
    if "item" in present:
        assert present["item"]["item_id"] in [row["item_id"] for row in outcome["items"]]
        assert _given(personal["item"]) == _present_item(present["item"])
    else:
        assert personal.get("item") is None
    if "member" in present:
        assert present["member"]["member_id"] in [row["member_id"] for row in outcome["members"]]
        assert _given(personal["member"]) == _present_member(present["member"])
    else:
        assert personal.get("member") is None


def _replaced(outcome: Row) -> list[Row]:
    return list(outcome["personal"]["replaced"])


def _given(block: Row | None) -> Row:
    return {name: value for name, value in (block or {}).items() if value is not None}


def _earlier(earlier: Row | None) -> Row:
    told = dict(earlier or {})
    if "decided_at" in told:
        told["decided_at"] = timestamp(told["decided_at"])
    return told


def _present_item(row: Row) -> Row:
    return {**row["personal"], "relationship": row["relationship"]["type"]}


def _present_member(row: Row) -> Row:
    return {**row["details"], "co_owner": row["co_owner"]}


def _assert_names(record: Record, answer: Answer, after: Practice, outcome: Row) -> None:
    """Whose it is: the client with its name, or the connection with the practice's."""
    data: Any = record.data
    applied = answer.result == "applied"
    client_id = getattr(data, "client_id", None)
    if client_id is None and hasattr(data, "item_id") and data.item_id in after.items:
        client_id = after.items[data.item_id]["client_id"]
    if answer.reason in ("id_reused", "resolver_failed"):
        client_id = None
    assert outcome["client_id"] == client_id
    client = after.clients.get(client_id or "")
    assert outcome["personal"].get("client_name") == (client["details"]["name"] if client else None)
    if applied and isinstance(data, ClientAdded):
        assert outcome["client"]["xpm_client_id"] == after.clients[data.client_id]["xpm_client_id"]
        assert outcome["client"]["added_by"] == data.added_by
    else:
        assert outcome["client"] is None
    if applied and isinstance(data, ConnectionChanged):
        told = with_value(data)
        assert _given(outcome["connection"]) == {name: told[name] for name in told if name != "personal"}
        assert outcome["personal"].get("practice_name") == sent(data.personal).get("practice_name")
    else:
        assert outcome["connection"] is None
