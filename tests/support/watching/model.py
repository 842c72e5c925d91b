"""What integration progress must be in the end, computed from the two logs as a whole and nothing else.

It knows nothing of batches, of what was stored, or of the order in which the two topics are read.
"""

from collections.abc import Iterable
from typing import Any

from schemas.fields import milliseconds
from tests.support.watching.story import Input

RowKey = tuple[str, str, str]
Shown = dict[str, Any]

ORDER = ["queued", "fetching", "ready_for_review", "in_review"]
ENDS = ["completed", "failed", "superseded"]
COUNTS = [
    "staged",
    "pending",
    "imported",
    "linked",
    "ignored",
    "attached",
    "withdrawn",
    "left_out",
    "rejected",
    "replaced_fields",
]


def final_rows(requests: Iterable[Input], outcomes: Iterable[Input]) -> dict[RowKey, Shown]:
    """Every row at the end; all of them are taken to be visible."""
    asked = first_requests(requests)
    told = imports_told(outcomes)
    rows = {
        (tenant, "import", import_id): import_row(
            asked.get((tenant, import_id)), told.get((tenant, import_id), [])
        )
        for tenant, import_id in asked.keys() | told.keys()
    }
    for tenant, bulk in {(key[0], row["bulk_id"]) for key, row in rows.items() if row["bulk_id"]}:
        members = [row for key, row in rows.items() if key[0] == tenant and row["bulk_id"] == bulk]
        rows[tenant, "bulk_import", bulk] = bulk_row(bulk, members)
    return rows


def first_requests(requests: Iterable[Input]) -> dict[tuple[str, str], Input]:
    first: dict[tuple[str, str], Input] = {}
    for each in requests:
        first.setdefault((each.event.tenant_id, each.event.id), each)
    return first


def imports_told(outcomes: Iterable[Input]) -> dict[tuple[str, str], list[Shown]]:
    """Of each import what was told of it, in the order of the log."""
    told: dict[tuple[str, str], list[Shown]] = {}
    for each in outcomes:
        data = each.event.data.model_dump()
        for run in data["imports"]:
            told.setdefault((each.event.tenant_id, run["import_id"]), []).append(
                {
                    **run,
                    "version": (data["version"]["offset"], data["version"]["swap"]),
                    "at": milliseconds(data["record"]["at"]) if data["record"] else each.at,
                    "client_id": data["client_id"],
                    "client_name": (data["personal"] or {}).get("client_name"),
                }
            )
    return told


def import_row(request: Input | None, told: list[Shown]) -> Shown:
    counted = that_count(told)
    first = counted[0] if counted else None
    asked = (
        request.event.data.model_dump() if request else {"bulk_id": None, "client_id": None, "personal": None}
    )
    last = counted[-1] if counted else None
    names = [each["client_name"] for each in counted if each["client_name"]]
    asked_name = (asked["personal"] or {}).get("client_name")
    clients = [each["client_id"] for each in counted if each["client_id"]]
    requested_at = request.at if request else milliseconds(first["requested_at"])
    return {
        "requested_at": requested_at,
        "moved_at": max([requested_at, *moves(counted)]),
        "status": last["status"] if last else "queued",
        "requested_by": last["requested_by"] if last else asked["requested_by"],
        "bulk_id": asked["bulk_id"] if request else first["bulk_id"],
        "client_id": clients[-1] if clients else asked["client_id"],
        "client_name": names[-1] if names else asked_name,
        "waiting": last and last["waiting"],
        "reason": last and last["reason"],
        "message": last and last["message"],
        "counts": {name: last["counts"][name] if last else 0 for name in COUNTS},
    }


def that_count(told: list[Shown]) -> list[Shown]:
    """The highest version wins; nothing goes backwards or on from an end, except by a swap."""
    counted: list[Shown] = []
    for each in told:
        if counted and each["version"] <= counted[-1]["version"]:
            continue
        if counted and each["version"][1] <= counted[-1]["version"][1]:
            before, after = counted[-1]["status"], each["status"]
            if before in ENDS or (after in ORDER and ORDER.index(after) < ORDER.index(before)):
                continue
        counted.append(each)
    return counted


def moves(counted: list[Shown]) -> list[int]:
    parts = ("status", "waiting", "reason", "message", "counts")
    return [
        each["at"]
        for before, each in zip([None, *counted], counted, strict=False)
        if before is None or any(before[part] != each[part] for part in parts)
    ]


def bulk_row(bulk: str, members: list[Shown]) -> Shown:
    statuses = [row["status"] for row in members]
    return {
        "bulk_id": bulk,
        "moved_at": max(row["moved_at"] for row in members),
        "status": least_advanced(statuses),
        "counts": {name: sum(row["counts"][name] for row in members) for name in COUNTS},
        "imports": {"total": len(members), **{status: statuses.count(status) for status in ORDER + ENDS}},
        "to_review": any(
            row["status"] in {"ready_for_review", "in_review"} and row["counts"]["pending"] for row in members
        ),
    }


def least_advanced(statuses: list[str]) -> str:
    for status in ORDER:
        if status in statuses:
            return status
    return next(status for status in ENDS if status in statuses)
