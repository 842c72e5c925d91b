"""Where two versions of the same tables differ: how much, and for people row by row, with what is personal masked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

PERSONAL = frozenset(
    {
        "details", "provenance", "personal", "ignored", "before", "account_email", "email", "name", "decided_by",
        "requested_by", "added_by", "changed_by", "message",
    }
)  # fmt: skip
"""Columns, and blocks within a column's JSON, whose values say something about a person."""
LONGEST = 120
TOLD_ALREADY = frozenset({"tenant_id", "partition", "offset", "ordinal"})
ALWAYS_DIFFERENT = frozenset({"outcome.id", "outcome.data.version"})
"""Tell the number of the swap, which is no difference."""


class Column(NamedTuple):
    """A column, or a place in a column's JSON, with both values as text; None where the row or the value is not."""

    name: str
    here: str | None
    there: str | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows of a table and tenant are only in the live version, only in the other, or differ."""

    table: str
    tenant_id: str
    only_here: int = 0
    only_there: int = 0
    different: int = 0

    @property
    def total(self) -> int:
        return self.only_here + self.only_there + self.different


@dataclass(frozen=True, slots=True)
class Example:
    """A row that differs, column by column; `key` names it within its tenant."""

    table: str
    tenant_id: str
    key: Sequence[str]
    kind: str
    columns: Sequence[Column]


def columns_that_differ(
    here: Mapping[str, Any] | None, there: Mapping[str, Any] | None, *, personal: bool
) -> list[Column]:
    """Where two versions of a row differ; of a row that is on one side only, all that it holds."""
    found = _differing(_opened(here), _opened(there), "")
    return [
        Column(path, _shown(path, before, personal=personal), _shown(path, after, personal=personal))
        for path, before, after in found
        if path not in TOLD_ALREADY and not path.startswith(tuple(ALWAYS_DIFFERENT))
    ]


def _opened(row: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """An outcome is text in the table, for its bytes; here it is looked into."""
    if row is None:
        return {}
    if isinstance(row.get("outcome"), str):
        return {**row, "outcome": orjson.loads(row["outcome"])}
    return row


def _differing(here: Any, there: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if here == there:
        return
    if isinstance(here, dict) and isinstance(there, dict):
        for name in [*here, *(each for each in there if each not in here)]:
            yield from _differing(here.get(name), there.get(name), f"{path}.{name}" if path else name)
    elif isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
        for place, (one, other) in enumerate(zip(here, there, strict=True)):
            yield from _differing(one, other, f"{path}[{place}]")
    else:
        yield path, here, there


def _shown(path: str, value: Any, *, personal: bool) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    if not personal and (_is_personal(path) or _holds_personal(value)):
        return f"({len(text)} characters)"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _holds_personal(value: Any) -> bool:
    """Whether something within is: what is on one side only is shown as a whole."""
    match value:
        case dict():
            return any(name in PERSONAL or _holds_personal(each) for name, each in value.items())
        case list():
            return any(map(_holds_personal, value))
        case _:
            return False


def _is_personal(path: str) -> bool:
    """Whether a block on the way is; an outcome as a whole holds one."""
    return path == "outcome" or any(part.partition("[")[0] in PERSONAL for part in path.split("."))
