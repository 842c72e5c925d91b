"""
What the party at the other end of a relationship is to the client on whose record the relationship stands.

XPM's words come in two families. A bare role says what the *party* is: "Director" on a company's record names its
director. With "Of" it says what the *client* is: "Director Of" on a person's record names the company. No official page
says so (the evidence is indirect), so this is data, which a practice may correct. A word that is not in the table keeps
its own text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Direction:
    """`role` is held by the party, by the client, or mutually; `party_is` says what to call the party."""

    role: str
    holder: Literal["party", "client", "both"]
    party_is: str


Directions = Mapping[str, Direction]

_ROLES = (
    # role, what the entity is to the holder of the role
    ("Director", "Company directed"),
    ("Shareholder", "Company owned in part"),
    ("Trustee", "Trust"),
    ("Beneficiary", "Trust"),
    ("Partner", "Partnership"),
    ("Settlor", "Trust"),
    ("Secretary", "Company"),
    ("Public Officer", "Company"),
    ("Appointer", "Trust"),
    ("Member", "Fund or association"),
    ("Auditor", "Audited entity"),
    ("Owner", "Business owned"),
)
_MUTUAL = ("Spouse", "Associate")
_SPELLINGS = {"appointor": "appointer"}


def folded(word: str) -> str:
    """A word as the table has it: lower case, single blanks, one spelling of appointer."""
    return " ".join(_SPELLINGS.get(part, part) for part in word.casefold().split())


def _standard() -> dict[str, Direction]:
    table = {
        "parent of": Direction("Parent", "client", "Child"),
        "child of": Direction("Child", "client", "Parent"),
    }
    for role, entity in _ROLES:
        table[folded(role)] = Direction(role, "party", role)
        table[folded(f"{role} of")] = Direction(role, "client", entity)
    for word in _MUTUAL:
        table[folded(word)] = table[folded(f"{word} of")] = Direction(word, "both", word)
    for word in ("Husband", "Wife"):
        table[folded(word)] = Direction(word, "party", word)
        table[folded(f"{word} of")] = Direction(word, "client", "Spouse")
    return table


STANDARD: Directions = _standard()


def direction(word: str, table: Directions = STANDARD) -> Direction | None:
    """How to read a relationship's word; `None` for one that the table does not know."""
    return table.get(folded(word))
