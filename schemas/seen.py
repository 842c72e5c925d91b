"""Digests of the details that a person was shown, so that a decision on details that changed since is noticed.

They cover details only, never an offset, a generation or an import's id: a replay and an import that changed nothing
refuse nobody. Values that are not there count as nothing, whether absent or null.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson


def _digest(value: Mapping[str, Any]) -> str:
    return sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def _present(values: Mapping[str, Any]) -> Mapping[str, Any]:
    if None not in values.values():
        return values
    return {field: value for field, value in values.items() if value is not None}


def item_digest(
    personal: Mapping[str, Any], relationship: Mapping[str, Any], *, archived: bool, stub: bool
) -> str:
    """The digest of an item: the party's details, the relationship, and the two flags."""
    return _digest(
        {
            "personal": _present(personal),
            "relationship": _present(relationship),
            "archived": archived,
            "stub": stub,
        }
    )


def member_digest(details: Mapping[str, Any], *, co_owner: bool) -> str:
    """The digest of a member: its details (its relationship word among them) and whether it is a co-owner."""
    return _digest({"details": _present(details), "co_owner": co_owner})
