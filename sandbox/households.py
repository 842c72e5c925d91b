"""
The people and entities around one made-up family, and the facts that tie them.

A family is what a practice calls a client group: one or two adults, children, and often a company, a trust
with a trustee company, a fund. `household` says who they are and `facts` how they are tied; `seeded` writes
the records.
"""

from dataclasses import dataclass
from typing import Literal

from sandbox.chance import Chance
from sandbox.vocabulary import FAMILY_NAMES, FANCIES, GIVEN_NAMES, OTHER_TIES, TRADES

Part = Literal["adult", "child", "company", "trust", "trustee", "fund"]

STRUCTURES: dict[Part, str] = {
    "adult": "Individual",
    "child": "Individual",
    "company": "Company",
    "trust": "Discretionary Trust",
    "trustee": "Company",
    "fund": "Self Managed Superannuation Fund",
}


@dataclass(frozen=True)
class Member:
    """One of a household: its part, its name, and for people their given name and gender."""

    part: Part
    name: str
    given_name: str = ""
    family_name: str = ""
    gender: str = ""

    @property
    def is_person(self) -> bool:
        return self.part in ("adult", "child")


@dataclass(frozen=True)
class Fact:
    """
    A tie between two members, by their places in the household: *holder* is `role` of *entity*.

    `words` are what XPM writes on the record of the entity and on the record of the holder.
    """

    holder: int
    entity: int
    words: tuple[str, str]


def household(luck: Chance) -> list[Member]:
    """Who belongs to one family; always at least one adult, who comes first."""
    family = luck.pick(FAMILY_NAMES)
    members = [_person(luck, "adult", family)]
    if luck.happens(85):
        members.append(_person(luck, "adult", family if luck.happens(75) else luck.pick(FAMILY_NAMES)))
    members += [_person(luck, "child", family) for _ in range(luck.below(4))]
    return members + _entities(luck, family)


def facts(luck: Chance, members: list[Member]) -> list[Fact]:
    """Every tie within a household, several of them between the same two."""
    places: dict[Part, list[int]] = {part: [] for part in STRUCTURES}
    for place, member in enumerate(members):
        places[member.part].append(place)
    return [
        *_couple(luck, members, places["adult"]),
        *_parents(places["adult"], places["child"]),
        *_owners(luck, places["adult"], places["company"] + places["trustee"]),
        *_trusts(luck, places),
        *_odd_ties(luck, places),
    ]


def _person(luck: Chance, part: Part, family: str) -> Member:
    gender, given = luck.pick(GIVEN_NAMES)
    name = f"{family}, {given}" if luck.happens(30) else f"{given} {family}"
    return Member(part, name, given, family, gender)


def _entities(luck: Chance, family: str) -> list[Member]:
    trading_name = f"{luck.pick(FANCIES)} {luck.pick(TRADES)}"
    members = []
    if luck.happens(80):
        members.append(Member("company", f"{trading_name} Pty Ltd"))
    if luck.happens(55):
        members.append(Member("trust", f"{family} Family Trust"))
        members.append(Member("trustee", f"{family} Holdings Pty Ltd ATF {family} Family Trust"))
    if luck.happens(20):
        members.append(Member("fund", f"{family} Super Fund"))
    return members


def _couple(luck: Chance, members: list[Member], adults: list[int]) -> list[Fact]:
    if len(adults) < 2:  # noqa: PLR2004 - it takes two
        return []
    first, second = adults[:2]
    married = luck.happens(50)
    words = (_spouse_word(members[first]), _spouse_word(members[second])) if married else ("Spouse", "Spouse")
    return [Fact(holder=first, entity=second, words=words)]


def _spouse_word(member: Member) -> str:
    return "Wife" if member.gender == "Female" else "Husband"


def _parents(adults: list[int], children: list[int]) -> list[Fact]:
    return [Fact(adult, child, ("Child Of", "Parent Of")) for adult in adults for child in children]


def _owners(luck: Chance, adults: list[int], companies: list[int]) -> list[Fact]:
    found = []
    for company in companies:
        for adult in adults:
            found.append(_role("Director", adult, company))
            if luck.happens(60):
                found.append(_role("Shareholder", adult, company))
        if luck.happens(40):
            found.append(
                _role(luck.pick(("Secretary", "Public Officer", "Owner")), luck.pick(adults), company)
            )
    return found


def _trusts(luck: Chance, places: dict[Part, list[int]]) -> list[Fact]:
    found = [_role("Trustee", trustee, trust) for trust in places["trust"] for trustee in places["trustee"]]
    for trust in places["trust"]:
        found += [_role("Beneficiary", person, trust) for person in places["adult"] + places["child"]]
        appointer = luck.pick(("Appointer", "Appointor"))
        found.append(_role(appointer, luck.pick(places["adult"]), trust))
    members = [_role("Member", adult, fund) for fund in places["fund"] for adult in places["adult"]]
    return found + members


def _odd_ties(luck: Chance, places: dict[Part, list[int]]) -> list[Fact]:
    if not places["company"] or not luck.happens(15):
        return []
    word = luck.pick(OTHER_TIES)
    return [Fact(luck.pick(places["adult"]), places["company"][0], (word, word))]


def _role(role: str, holder: int, entity: int) -> Fact:
    return Fact(holder, entity, (role, f"{role} Of"))
