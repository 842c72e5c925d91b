"""
Made-up practices of any size: one seed and one size give the same practice on every machine and every Python.

What real practices hold is in here on purpose: absent and empty fields, three date formats, addresses in free
text, several addresses in one e-mail field, shared e-mails, duplicate names, archived and deleted records,
ties that were written on one side only, ended ones, and ones that point to nowhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from sandbox.chance import Chance, made_up_uuid
from sandbox.households import Member, facts, household
from sandbox.particulars import date_text, particulars
from sandbox.practice import BEGINNING, Group, Party, Practice, Relationship

_WEEKS_OF_CHANGES = 260


@dataclass(frozen=True)
class _Family:
    """A household with the records that were made for it, place by place."""

    number: int
    members: list[Member]
    parties: list[Party]


def seeded_practice(seed: str, size: int) -> Practice:
    """A practice with exactly `size` client records."""
    families = list(_families(seed, size))
    for family, neighbour in zip(families, [None, *families], strict=False):
        luck = Chance(seed, "ties", family.number)
        for fact in facts(luck, family.members):
            _tie(luck, family.parties[fact.holder], family.parties[fact.entity], fact.words)
        if neighbour and luck.happens(30):
            _tie(luck, neighbour.parties[0], family.parties[-1], _neighbourly(luck))
    return Practice(f"Made-up Practice {seed}", [party for family in families for party in family.parties])


def _families(seed: str, size: int) -> Iterator[_Family]:
    left = size
    for number in count():
        if left <= 0:
            return
        members = household(Chance(seed, "family", number))[:left]
        left -= len(members)
        yield _Family(number, members, _parties(seed, number, members))


def _parties(seed: str, number: int, members: list[Member]) -> list[Party]:
    group = Group(made_up_uuid(seed, "group", number), f"{members[0].family_name} Family")
    shared_email = Chance(seed, "e-mail", number).happens(25)
    keeper = members[0].name
    return [
        _party(Chance(seed, "party", number, place), member, group, keeper if shared_email else member.name)
        for place, member in enumerate(members)
    ]


def _party(luck: Chance, member: Member, group: Group, email_name: str) -> Party:
    record = particulars(luck, member, email_name)
    return Party(
        uuid=made_up_uuid(group.uuid, luck.below(2**48)),
        fields=record.fields,
        contacts=record.contacts,
        groups=(group,) if luck.happens(80) else (),
        notes=("Prefers a call before & after lodgement.",) if luck.happens(10) else (),
        archived=luck.happens(3),
        deleted=luck.happens(1),
        echoes=("DateOfBirth",) if luck.happens(3) else (),
        changed_at=BEGINNING + timedelta(weeks=luck.below(_WEEKS_OF_CHANGES)),
    )


def _neighbourly(luck: Chance) -> tuple[str, str]:
    role = luck.pick(("Partner", "Auditor", "Settlor", "Associate"))
    return (role, role) if role == "Associate" else (role, f"{role} Of")


def _tie(luck: Chance, holder: Party, entity: Party, words: tuple[str, str]) -> None:
    """Write a fact on both records, as XPM does, or sometimes on one of them only."""
    first = _row(luck, words[0], holder)
    uuid = first.uuid if luck.happens(50) else made_up_uuid(first.uuid, "other side")
    _write(entity, first)
    if luck.happens(95):
        second = _row(luck, words[1], entity)
        _write(holder, Relationship(**{**vars(second), "uuid": uuid, "start": first.start, "end": first.end}))


def _write(party: Party, relationship: Relationship) -> None:
    if party.fields.get("BusinessStructure"):
        party.relationships.append(relationship)


def _row(luck: Chance, word: str, other: Party) -> Relationship:
    uuid = made_up_uuid(other.uuid, word, luck.below(2**48))
    dangles = luck.happens(2)
    return Relationship(
        uuid=uuid,
        type=_as_typed(luck, word),
        party_uuid=made_up_uuid(uuid, "nowhere") if dangles else other.uuid,
        party_name=other.name,
        shares=_shares(luck, word),
        percentage=_percentage(luck, word),
        start=date_text(luck, 1995, 2022) if luck.happens(70) else luck.pick((None, "")),
        end=_end(luck),
    )


def _as_typed(luck: Chance, word: str) -> str:
    return luck.pick((word.lower(), word.upper(), f" {word} ")) if luck.happens(6) else word


def _shares(luck: Chance, word: str) -> str | None:
    if word.startswith(("Shareholder", "Owner")):
        return str(1 + luck.below(1000))
    return luck.pick((None, "", "0"))


def _percentage(luck: Chance, word: str) -> str | None:
    return luck.pick(("50", "33.33")) if word.startswith("Partner") else luck.pick((None, "", "0"))


def _end(luck: Chance) -> str | None:
    if luck.happens(8):
        return date_text(luck, 2012, 2023)
    return date_text(luck, 2090, 2099) if luck.happens(2) else luck.pick((None, ""))
