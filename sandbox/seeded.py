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
from sandbox.mix import AS_USUAL, Mix
from sandbox.particulars import particulars
from sandbox.practice import BEGINNING, Group, Party, Practice
from sandbox.ties import Ties, Words

_WEEKS_OF_CHANGES = 260


@dataclass(frozen=True)
class _Family:
    """A household with the records that were made for it, place by place."""

    number: int
    members: list[Member]
    parties: list[Party]


def seeded_practice(seed: str, size: int, mix: Mix = AS_USUAL) -> Practice:
    """A practice with exactly `size` client records. Raises `ties.CannotFill`."""
    families = list(_families(seed, size, mix))
    parties = [party for family in families for party in family.parties]
    ties = Ties(mix, _lost(seed, size, mix))
    for family, neighbour in zip(families, [None, *families], strict=False):
        luck = Chance(seed, "ties", family.number)
        for fact in facts(luck, family.members):
            ties.tie(luck, family.parties[fact.holder], family.parties[fact.entity], fact.words)
        if neighbour and luck.happens(30):
            ties.tie(luck, neighbour.parties[0], family.parties[-1], _neighbourly(luck, family.members[-1]))
    ties.fill(Chance(seed, "more ties"), parties)
    return Practice(
        f"Made-up Practice {seed}", parties, [Group(made_up_uuid(seed, "empty"), "Prospects & leads")]
    )


def _families(seed: str, size: int, mix: Mix) -> Iterator[_Family]:
    left = size
    for number in count():
        if left <= 0:
            return
        members = household(Chance(seed, "family", number))[:left]
        left -= len(members)
        yield _Family(number, members, _parties(seed, number, members, mix))


def _parties(seed: str, number: int, members: list[Member], mix: Mix) -> list[Party]:
    group = Group(made_up_uuid(seed, "group", number), f"{members[0].family_name} Family")
    shared_email = Chance(seed, "e-mail", number).happens(25)
    keeper = members[0].name
    return [
        _party(
            Chance(seed, "party", number, place), member, group, keeper if shared_email else member.name, mix
        )
        for place, member in enumerate(members)
    ]


def _party(luck: Chance, member: Member, group: Group, email_name: str, mix: Mix) -> Party:
    record = particulars(luck, member, email_name, tied=mix.relationships is not None)
    return Party(
        uuid=made_up_uuid(group.uuid, luck.below(2**48)),
        fields=record.fields,
        contacts=record.contacts,
        groups=(group,) if luck.happens(80) else (),
        notes=("Prefers a call before & after lodgement.",) if luck.happens(10) else (),
        archived=luck.happens(mix.archived),
        deleted=luck.happens(mix.deleted),
        echoes=("DateOfBirth",) if luck.happens(3) else (),
        changed_at=BEGINNING + timedelta(weeks=luck.below(_WEEKS_OF_CHANGES)),
    )


def _lost(seed: str, size: int, mix: Mix) -> list[Party]:
    """Clients whose records are gone, although relationships still lead there."""
    names = (
        household(Chance(seed, "lost", number))[-1].name
        for number in range(max(1, round(size * mix.dangling / 100)))
    )
    return [Party(made_up_uuid(seed, "lost", number), {"Name": name}) for number, name in enumerate(names)]


def _neighbourly(luck: Chance, entity: Member) -> Words:
    role = luck.pick(
        ("Partner", "Associate") if entity.is_person else ("Partner", "Auditor", "Settlor", "Associate")
    )
    return (role, role) if role == "Associate" else (role, f"{role} Of")
