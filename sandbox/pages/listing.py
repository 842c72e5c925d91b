"""What a page shows of a practice's clients: those that were searched for, so many at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args
from urllib.parse import urlencode

from sandbox.practice import Party, Practice

_AT_ONCE = 50
_STATES = ("any", "current", "archived", "deleted")


@dataclass(frozen=True)
class Listing:
    """The clients of one page by name, with what was asked for."""

    parties: list[Party]
    total: int
    name: str
    state: str
    page: int

    @property
    def states(self) -> tuple[str, ...]:
        return _STATES

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // _AT_ONCE))

    def query(self, page: int) -> str:
        return urlencode({"name": self.name, "state": self.state, "page": page})


def listing(practice: Practice, asked: Mapping[str, str]) -> Listing:
    """Whatever was asked that makes no sense is taken for not asked."""
    name, state, page = asked.get("name", "").strip(), asked.get("state", "any"), asked.get("page", "1")
    state = state if state in _STATES else "any"
    number = max(1, int(page)) if page.isdecimal() and len(page) < 7 else 1  # noqa: PLR2004 - digits
    found = sorted(
        (
            party
            for party in practice.parties.values()
            if name.casefold() in party.name.casefold() and _is(party, state)
        ),
        key=lambda party: (party.name.casefold(), party.uuid),
    )
    start = (number - 1) * _AT_ONCE
    return Listing(found[start : start + _AT_ONCE], len(found), name, state, number)


def choices(annotation: Any) -> tuple[str, ...]:
    """What may be chosen where a `Literal` or a boolean is wanted."""
    return get_args(annotation) or ("yes", "no")


def _is(party: Party, state: str) -> bool:
    return {
        "any": True,
        "current": party.is_current,
        "archived": party.archived,
        "deleted": party.deleted,
    }[state]
