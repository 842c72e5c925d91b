"""Ids that are derived and therefore the same on every run. Each contains the tenant."""

from functools import lru_cache
from uuid import UUID, uuid5

import orjson

NAMESPACE = UUID("6f0a7d0e-3c55-5d0e-9a4b-6d7573746572")


@lru_cache(maxsize=4096)
def derived_id(tenant_id: str, *parts: str | int | None) -> str:
    """A version-5 UUID of the tenant and the parts; parts can't run into each other."""
    return str(uuid5(NAMESPACE, orjson.dumps([tenant_id, *parts]).decode()))


def item_id(
    tenant_id: str,
    client_id: str,
    *,
    xpm_relationship_id: str | None,
    xpm_party_id: str,
    relationship_type: str,
    start_date: str | None,
) -> str:
    """The id of the item for a relationship: by XPM's id of it, or without one by party, type and start date."""
    if xpm_relationship_id is not None:
        return derived_id(tenant_id, "item", client_id, xpm_relationship_id)
    return derived_id(tenant_id, "item", client_id, xpm_party_id, relationship_type, start_date)
