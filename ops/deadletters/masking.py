"""An event without what is personal in it, for screens that others look at too."""

from typing import Any

PERSONAL = frozenset({"personal"})
MASK = "…"


def masked(document: Any) -> Any:
    """The same document; every value in a block of personal data is `…`, its fields stay."""
    if isinstance(document, dict):
        return {name: _mask(value) if name in PERSONAL else masked(value) for name, value in document.items()}
    if isinstance(document, list):
        return [masked(each) for each in document]
    return document


def _mask(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _mask(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_mask(each) for each in value]
    return None if value is None else MASK
