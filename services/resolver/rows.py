"""Rows to entities and back. JSON goes as text; times as `datetime`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson
from asyncpg import Record
from msgspec import Struct
from msgspec.structs import astuple

from services.resolver.domain.entities import NO_COUNTS, Client, Holder, Import, Item, Link, Member

Row = Record | Sequence[Any]
Values = tuple[Any, ...]
COLUMNS: Mapping[str, Sequence[str]] = {
    "members": ("tenant_id", "member_id", "client_id", "co_owner", "removed", "details", "provenance"),
    "items": (
        "tenant_id", "item_id", "client_id", "xpm_party_id", "import_id", "staged_from", "state", "reason", "personal",
        "relationship", "archived", "stub", "details_as_of", "in_xpm", "digest", "member_id", "attached_by",
        "decided_by", "decided_at", "ignored",
    ),
    "imports": (
        "tenant_id", "import_id", "client_id", "bulk_id", "requested_by", "requested_at", "started_from", "status",
        "waiting_until", "waiting_why", "reason", "message", "reviewed", "item_ids", "unstaged", "counts",
    ),
}  # fmt: skip
"""The order in which every statement gives them: to look each up by its name takes as long as making the entity."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@lru_cache(maxsize=4096)
def moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else _EPOCH + milliseconds * _MILLISECOND


def milliseconds(instant: datetime | None) -> int | None:
    return None if instant is None else (instant - _EPOCH) // _MILLISECOND


def json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def sorted_json(values: Iterable[str] | None) -> str | None:
    return None if values is None else json(sorted(values))


def values(tenant_id: str, _key: Any, entity: Struct) -> Values:
    """A row whose columns are the entity's fields, as they are in memory."""
    return (tenant_id, *astuple(entity))


def client(row: Row) -> Client:
    _, client_id, xpm_client_id, account_email, details, provenance, details_from, staged_from = row
    return Client(
        client_id=client_id,
        xpm_client_id=xpm_client_id,
        account_email=account_email,
        details=orjson.loads(details),
        provenance=orjson.loads(provenance),
        details_from=details_from,
        staged_from=staged_from,
    )


def member(row: Row) -> Member:
    _, member_id, client_id, co_owner, removed, details, provenance = row
    return Member(
        member_id=member_id,
        client_id=client_id,
        co_owner=co_owner,
        removed=removed,
        details=orjson.loads(details),
        provenance=orjson.loads(provenance),
    )


def member_values(tenant_id: str, _key: Any, entity: Member) -> Values:
    return (tenant_id, *astuple(entity), entity.digest)


def link(row: Row) -> Link:
    _, client_id, xpm_party_id, member_id, item_id, details_from = row
    return Link(
        client_id=client_id,
        xpm_party_id=xpm_party_id,
        member_id=member_id,
        item_id=item_id,
        details_from=details_from,
    )


def item(row: Row) -> Item:
    (
        _, item_id, client_id, xpm_party_id, import_id, staged_from, state, reason, personal, relationship, archived,
        stub, details_as_of, in_xpm, digest, member_id, attached_by, decided_by, decided_at, ignored,
    ) = row  # fmt: skip
    return Item(
        item_id=item_id,
        client_id=client_id,
        xpm_party_id=xpm_party_id,
        import_id=import_id,
        staged_from=staged_from,
        state=state,
        reason=reason,
        personal=orjson.loads(personal),
        relationship=orjson.loads(relationship),
        archived=archived,
        stub=stub,
        details_as_of=milliseconds(details_as_of),
        in_xpm=in_xpm,
        digest=digest,
        member_id=member_id,
        attached_by=attached_by,
        decided_by=decided_by,
        decided_at=milliseconds(decided_at),
        ignored=orjson.loads(ignored) if ignored is not None else None,
    )


def import_(row: Row) -> Import:
    (
        _, import_id, client_id, bulk_id, requested_by, requested_at, started_from, status, waiting_until, waiting_why,
        reason, message, reviewed, item_ids, unstaged, counts,
    ) = row  # fmt: skip
    requested = milliseconds(requested_at)
    assert requested is not None
    return Import(
        import_id=import_id,
        client_id=client_id,
        bulk_id=bulk_id,
        requested_by=requested_by,
        requested_at=requested,
        started_from=started_from,
        status=status,
        waiting_until=milliseconds(waiting_until),
        waiting_why=waiting_why,
        reason=reason,
        message=message,
        reviewed=reviewed,
        listed=frozenset(orjson.loads(item_ids)) if item_ids is not None else None,
        unstaged=unstaged,
        counts=_in_order(orjson.loads(counts)),
    )


def _in_order(counts: Mapping[str, int]) -> dict[str, int]:
    """As in memory: jsonb has an order of its own, and an outcome's bytes must not tell where a value came from."""
    return {name: counts[name] for name in NO_COUNTS}


def holder(row: Row) -> Holder:
    _, _, client_id, member_id = row
    return Holder(client_id=client_id, member_id=member_id)


def holder_values(tenant_id: str, email: str, entity: Holder) -> Values:
    return (tenant_id, email, *astuple(entity))
