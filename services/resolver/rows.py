"""Rows to entities and back. JSON goes as text; times as `datetime`."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson
from asyncpg import Record
from msgspec import Struct
from msgspec.structs import astuple

from services.resolver.domain.entities import NO_COUNTS, Client, Holder, Import, Item, Link, Member

Row = Record | Mapping[str, Any]
Values = tuple[Any, ...]

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
    return Client(
        client_id=row["client_id"],
        xpm_client_id=row["xpm_client_id"],
        account_email=row["account_email"],
        details=orjson.loads(row["details"]),
        provenance=orjson.loads(row["provenance"]),
        details_from=row["details_from"],
        staged_from=row["staged_from"],
    )


def member(row: Row) -> Member:
    return Member(
        member_id=row["member_id"],
        client_id=row["client_id"],
        co_owner=row["co_owner"],
        removed=row["removed"],
        details=orjson.loads(row["details"]),
        provenance=orjson.loads(row["provenance"]),
    )


def member_values(tenant_id: str, _key: Any, entity: Member) -> Values:
    return (tenant_id, *astuple(entity), entity.digest)


def link(row: Row) -> Link:
    return Link(
        client_id=row["client_id"],
        xpm_party_id=row["xpm_party_id"],
        member_id=row["member_id"],
        item_id=row["item_id"],
        details_from=row["details_from"],
    )


def item(row: Row) -> Item:
    return Item(
        item_id=row["item_id"],
        client_id=row["client_id"],
        xpm_party_id=row["xpm_party_id"],
        import_id=row["import_id"],
        staged_from=row["staged_from"],
        state=row["state"],
        reason=row["reason"],
        personal=orjson.loads(row["personal"]),
        relationship=orjson.loads(row["relationship"]),
        archived=row["archived"],
        stub=row["stub"],
        details_as_of=milliseconds(row["details_as_of"]),
        in_xpm=row["in_xpm"],
        digest=row["digest"],
        member_id=row["member_id"],
        attached_by=row["attached_by"],
        decided_by=row["decided_by"],
        decided_at=milliseconds(row["decided_at"]),
        ignored=orjson.loads(row["ignored"]) if row["ignored"] is not None else None,
    )


def import_(row: Row) -> Import:
    requested_at = milliseconds(row["requested_at"])
    assert requested_at is not None
    return Import(
        import_id=row["import_id"],
        client_id=row["client_id"],
        bulk_id=row["bulk_id"],
        requested_by=row["requested_by"],
        requested_at=requested_at,
        started_from=row["started_from"],
        status=row["status"],
        waiting_until=milliseconds(row["waiting_until"]),
        waiting_why=row["waiting_why"],
        reason=row["reason"],
        message=row["message"],
        reviewed=row["reviewed"],
        listed=frozenset(orjson.loads(row["item_ids"])) if row["item_ids"] is not None else None,
        unstaged=row["unstaged"],
        counts=_in_order(orjson.loads(row["counts"])),
    )


def _in_order(counts: Mapping[str, int]) -> dict[str, int]:
    """As in memory: jsonb has an order of its own, and an outcome's bytes must not tell where a value came from."""
    return {name: counts[name] for name in NO_COUNTS}


def holder(row: Row) -> Holder:
    return Holder(client_id=row["client_id"], member_id=row["member_id"])


def holder_values(tenant_id: str, email: str, entity: Holder) -> Values:
    return (tenant_id, email, *astuple(entity))
