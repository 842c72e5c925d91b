"""Journals that the model's composer made up, as records of tenants of their own."""

from collections.abc import Iterator
from typing import Any

import orjson

from schemas.ids import derived_id
from schemas.topics import JOURNAL
from tests.support.chaos.post import Sending
from tests.support.journals.entries import Entry
from tests.support.journals.strategies import seeded


def composed(seed: int, steps: int, stream: int, requested_at: str) -> Iterator[Sending]:
    """The records of a seed's journal, whose tenants are called `north-<stream>` and so on.

    `requested_at` is when its imports are said to have been requested. What only a broken resolver would break on is
    left out.
    """
    entries = [entry for entry in seeded(seed, steps).entries if not entry.broken]
    members = dict(_renamed_members(entries, stream))
    for entry in entries:
        key = f"{entry.tenant_id}-{stream}" + ("-another" if entry.misrouted else "")
        yield Sending(JOURNAL, key.encode(), _moved(entry, stream, requested_at, members))


def _renamed_members(entries: list[Entry], stream: int) -> Iterator[tuple[str, str]]:
    """The ids of members that imports made are derived from the tenant's name."""
    for entry in entries:
        event = _read(entry.value)
        if event is not None and isinstance(event.get("id"), str):
            yield (
                derived_id(entry.tenant_id, "member", event["id"]),
                derived_id(f"{entry.tenant_id}-{stream}", "member", event["id"]),
            )


def _moved(entry: Entry, stream: int, requested_at: str, members: dict[str, str]) -> bytes:
    event = _read(entry.value)
    if event is None:
        return entry.value
    data = event.get("data")
    if isinstance(data, dict):
        if "requested_at" in data:
            data["requested_at"] = requested_at
        if data.get("member_id") in members:
            data["member_id"] = members[data["member_id"]]
    return orjson.dumps(event | {"tenantid": f"{event.get('tenantid')}-{stream}"})


def _read(value: bytes) -> dict[str, Any] | None:
    try:
        event = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) else None
