"""
What the party at the other end of a relationship is to the client on whose record the relationship stands.

XPM's words come in two families. A bare role says what the *party* is: "Director" on a company's record names its
director. With "Of" it says what the *client* is: "Director Of" on a person's record names the company. No official page
says so (the evidence is indirect), so this is data, which a practice may correct (`corrected`). A word that is not in
the table keeps its own text.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Literal

from schemas.fields import Short
from services.importer.xpm.records import Client, Record, Relationship


class Direction(Record):
    """`role` is held by the party, by the client, or mutually; `party_is` says what to call the party."""

    role: Short
    holder: Literal["party", "client", "both"]
    party_is: Short


Directions = Mapping[str, Direction]
"""By the word, `folded`."""

Fact = tuple[str, str, str, str | None]
"""Who, in what role, in which direction, since when: what two rows have in common that say the same."""

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
_OF_ENTITIES = frozenset(
    (
        "director",
        "shareholder",
        "secretary",
        "public officer",
        "trustee",
        "beneficiary",
        "settlor",
        "appointer",
    )
)
"""Roles that nobody has of a person."""
_PERSON = "individual"
_MUTUAL = ("Spouse", "Associate")
_SPELLINGS = {"appointor": "appointer"}


@lru_cache(maxsize=4096)
def folded(word: str) -> str:
    """A word as the table has it: lower case, single blanks, one spelling of appointer."""
    return " ".join(_SPELLINGS.get(part, part) for part in word.casefold().split())


def _standard() -> dict[str, Direction]:
    table = {
        "parent of": Direction(role="Parent", holder="client", party_is="Child"),
        "child of": Direction(role="Child", holder="client", party_is="Parent"),
    }
    for role, entity in _ROLES:
        table[folded(role)] = Direction(role=role, holder="party", party_is=role)
        table[folded(f"{role} of")] = Direction(role=role, holder="client", party_is=entity)
    for word in _MUTUAL:
        table[folded(word)] = table[folded(f"{word} of")] = Direction(role=word, holder="both", party_is=word)
    for word in ("Husband", "Wife"):
        table[folded(word)] = Direction(role=word, holder="party", party_is=word)
        table[folded(f"{word} of")] = Direction(role=word, holder="client", party_is="Spouse")
    return table


STANDARD: Directions = _standard()


def _from_the_other_end(word: str) -> str:
    pairs = {"parent of": "child of", "child of": "parent of"}
    return pairs.get(word) or (word.removesuffix(" of") if word.endswith(" of") else f"{word} of")


TURNED_ROUND: Directions = {word: STANDARD[_from_the_other_end(word)] for word in STANDARD}
"""For a practice that means every word the other way round: a bare one says what the client is."""


def direction(word: str, table: Directions = STANDARD) -> Direction | None:
    """How to read a relationship's word; `None` for one that the table does not know."""
    return table.get(folded(word))


def corrected(corrections: Directions, table: Directions = STANDARD) -> Directions:
    """The table with a practice's own readings of some words; a word may be in any letter case."""
    return {**table, **{folded(word): reading for word, reading in corrections.items()}}


def fact(tie: Relationship, table: Directions = STANDARD) -> Fact:
    """What a relationship says, whatever its id and its spelling."""
    known = direction(tie.type, table)
    role, holder = (known.role, known.holder) if known else (folded(tie.type), "unknown")
    return tie.xpm_party_id, folded(role), holder, tie.start_date


def distinct(ties: Iterable[Relationship], table: Directions = STANDARD) -> list[Relationship]:
    """
    The relationships without those that say again what an earlier one of the same record says.

    XPM keeps a fact on both records; where staff typed both sides, each record may have it twice, under two ids. Rows
    that differ in their end, shares or percentage say different things, unless one of them leaves shares or percentage
    out.
    """
    found: dict[Fact, list[Relationship]] = {}
    kept: list[Relationship] = []
    for tie in ties:
        alike = found.setdefault(fact(tie, table), [])
        if not any(_agree(tie, other) for other in alike):
            alike.append(tie)
            kept.append(tie)
    return kept


def contradictions(client: Client, parties: Mapping[str, Client], table: Directions = STANDARD) -> int:
    """
    How many relationships make somebody director, shareholder or the like of a person, by this reading of the words.

    A practice where that happens means its words the other way round.
    """
    found = ((tie, direction(tie.type, table)) for tie in client.relationships)
    entities = (
        client if known.holder == "party" else parties.get(tie.xpm_party_id)
        for tie, known in found
        if known is not None and folded(known.role) in _OF_ENTITIES
    )
    return sum(1 for entity in entities if entity is not None and _is_person(entity))


def _is_person(client: Client) -> bool:
    return (client.details.business_structure or "").casefold() == _PERSON


def _agree(one: Relationship, other: Relationship) -> bool:
    pairs = ((one.number_of_shares, other.number_of_shares), (one.percentage, other.percentage))
    return one.end_date == other.end_date and all(a is None or b is None or a == b for a, b in pairs)
