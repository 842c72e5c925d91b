"""Storing what a replay folds: rows that are new are copied, those that were stored before are updated."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from services.resolver import rows, store
from services.resolver.domain.fold import Verdict
from services.resolver.domain.state import TenantState, World
from services.resolver.rows import Values
from worker.projection import Database


class Kind(NamedTuple):
    """A table of entities: what its rows are in memory, their columns, and the statements that change stored ones."""

    held: str
    table: str
    columns: Sequence[str]
    values: Callable[[str, Any, Any], Values]
    put: str
    drop: str = ""


def _plain(values: Callable[[str, Any], Values]) -> Callable[[str, Any, Any], Values]:
    return lambda tenant_id, _key, entity: values(tenant_id, entity)


KINDS: Sequence[Kind] = (
    Kind(
        "links",
        "links",
        ("tenant_id", "client_id", "xpm_party_id", "member_id", "item_id", "details_from"),
        _plain(rows.link_values),
        store.QUERIES.put_links,
        store.QUERIES.drop_links,
    ),
    Kind(
        "holders",
        "co_owner_emails",
        ("tenant_id", "email", "client_id", "member_id"),
        rows.holder_values,
        store.QUERIES.put_holders,
        store.QUERIES.drop_holders,
    ),
    Kind(
        "clients",
        "clients",
        (
            "tenant_id", "client_id", "xpm_client_id", "account_email", "details", "provenance", "details_from",
            "staged_from",
        ),
        _plain(rows.client_values),
        store.QUERIES.put_clients,
    ),
    Kind(
        "members",
        "members",
        ("tenant_id", "member_id", "client_id", "co_owner", "removed", "details", "provenance", "digest"),
        _plain(rows.member_values),
        store.QUERIES.put_members,
    ),
    Kind(
        "items",
        "items",
        (
            "tenant_id", "item_id", "client_id", "xpm_party_id", "import_id", "staged_from", "state", "reason",
            "personal", "relationship", "archived", "stub", "details_as_of", "in_xpm", "digest", "member_id",
            "attached_by", "decided_by", "decided_at", "ignored",
        ),
        _plain(rows.item_values),
        store.QUERIES.put_items,
    ),
    Kind(
        "imports",
        "imports",
        (
            "tenant_id", "import_id", "client_id", "bulk_id", "requested_by", "requested_at", "started_from", "status",
            "waiting_until", "waiting_why", "reason", "message", "reviewed", "item_ids", "unstaged", "counts",
        ),
        _plain(rows.import_values),
        store.QUERIES.put_imports,
    ),
)  # fmt: skip


class Stored:
    """Which rows of the tenants in memory the generation's tables hold by now."""

    def __init__(self) -> None:
        self._keys: dict[str, dict[str, set[Any]]] = {}

    def note(self, tenant_id: str, state: TenantState) -> None:
        """Everything of the tenant that is in memory is stored."""
        self._keys[tenant_id] = {kind.held: set(getattr(state, kind.held)) for kind in KINDS}

    def forget(self, tenant_id: str) -> None:
        self._keys.pop(tenant_id, None)

    def keys(self, tenant_id: str, held: str) -> set[Any]:
        return self._keys.setdefault(tenant_id, {}).setdefault(held, set())


async def save(database: Database, world: World, verdicts: Sequence[Verdict], stored: Stored) -> None:
    """Store what changed since the states were settled, and what every record came to."""
    tenants = [
        (tenant_id, state)
        for tenant_id, state in sorted(world.tenants.items())
        if any(state.changed.values())
    ]
    for kind in KINDS:
        await _save(database, kind, tenants, stored)
    decided = [row for verdict in verdicts for row in store.decision_rows(verdict)]
    await database.copy_records_to_table("decisions", records=decided, columns=store.DECISION_COLUMNS)


async def _save(
    database: Database, kind: Kind, tenants: Sequence[tuple[str, TenantState]], stored: Stored
) -> None:
    new: list[Values] = []
    changed: list[Values] = []
    gone: list[Values] = []
    for tenant_id, state in tenants:
        known = stored.keys(tenant_id, kind.held)
        held: Mapping[Any, Any] = getattr(state, kind.held)
        for key in sorted(state.changed[kind.held]):
            if key not in held:
                if key in known:
                    gone.append((tenant_id, *_parts(key)))
            else:
                (changed if key in known else new).append(kind.values(tenant_id, key, held[key]))
    if gone:
        await store.drop(database, kind.drop, gone)
    await store.put(database, kind.put, changed)
    if new:
        await database.copy_records_to_table(kind.table, records=new, columns=kind.columns)


def settle(world: World, stored: Stored) -> None:
    """What `save` was given is committed."""
    for tenant_id, state in world.tenants.items():
        for kind in KINDS:
            if not state.changed[kind.held]:
                continue
            known, held = stored.keys(tenant_id, kind.held), getattr(state, kind.held)
            for key in state.changed[kind.held]:
                (known.add if key in held else known.discard)(key)
        state.settle()


def _parts(key: Any) -> Iterable[Any]:
    return key if isinstance(key, tuple) else (key,)
