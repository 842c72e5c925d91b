"""The relationships on the records of a made-up practice, with the slips of those who typed them."""

from collections.abc import Sequence
from dataclasses import replace

from sandbox.chance import Chance, made_up_uuid
from sandbox.mix import Mix
from sandbox.particulars import date_text
from sandbox.practice import Party, Relationship

Words = tuple[str, str]
"""What XPM writes on the record of the entity, and on that of whoever holds the role."""

_ROLES = ("Shareholder", "Director", "Secretary", "Auditor", "Partner", "Settlor", "Beneficiary", "Owner")
_MUTUAL: Words = ("Associate", "Associate")
_TRIES = 30


class CannotFill(ValueError):
    """A practice is too small for so many relationships on each record."""


class Ties:
    """Writes on the records of one practice; `lost` are clients that others point to although they are gone."""

    def __init__(self, mix: Mix, lost: Sequence[Party]) -> None:
        self._mix = mix
        self._lost = lost

    def tie(self, luck: Chance, holder: Party, entity: Party, words: Words) -> None:
        """Write a fact on both records, as XPM does, or sometimes on one only; nothing where there is no room."""
        if not (self._has_room(holder) and self._has_room(entity)):
            return
        first = self._row(luck, words[0], entity, holder)
        uuid = first.uuid if luck.happens(50) else made_up_uuid(first.uuid, "other side")
        entity.relationships.append(first)
        if luck.happens(95):
            second = self._row(luck, words[1], holder, entity)
            holder.relationships.append(replace(second, uuid=uuid, start=first.start, end=first.end))

    def fill(self, luck: Chance, parties: Sequence[Party]) -> None:
        """Give every record exactly as many relationships as the mix wants. Raises `CannotFill`."""
        if self._mix.relationships is None:
            return
        open_ones = [party for party in parties if self._has_room(party)]
        for party in parties:
            while self._has_room(party):
                other = self._partner(luck, party, open_ones)
                if other is None:
                    party.relationships.append(self._one_sided(luck, party, parties))
                else:
                    self.tie(luck, *_roles(luck, party, other))

    def _has_room(self, party: Party) -> bool:
        """XPM has relationships on records with a business structure only."""
        wanted = self._mix.relationships
        return "BusinessStructure" in party.fields and (wanted is None or len(party.relationships) < wanted)

    def _partner(self, luck: Chance, party: Party, open_ones: list[Party]) -> Party | None:
        """Somebody with room who is not tied to the party yet."""
        tied = {party.uuid, *(row.party_uuid for row in party.relationships)}
        for _ in range(_TRIES):
            if not open_ones:
                return None
            place = luck.below(len(open_ones))
            other = open_ones[place]
            if not self._has_room(other):
                open_ones[place] = open_ones[-1]
                open_ones.pop()
            elif other.uuid not in tied:
                return other
        return None

    def _one_sided(self, luck: Chance, party: Party, parties: Sequence[Party]) -> Relationship:
        for _ in range(_TRIES):
            other, word = luck.pick(parties), luck.pick(_ROLES)
            if other is not party and not _says(party, word, other):
                return self._row(luck, word, party, other)
        raise CannotFill(
            f"{len(parties)} records are too few for {self._mix.relationships} relationships on each"
        )

    def _row(self, luck: Chance, word: str, record: Party, other: Party) -> Relationship:
        if luck.happens(self._mix.dangling):
            lost = luck.pick(self._lost)
            other = other if _says(record, word, lost) else lost
        return Relationship(
            uuid=made_up_uuid(record.uuid, other.uuid, word, luck.below(2**48)),
            type=_as_typed(luck, word),
            party_uuid=other.uuid,
            party_name=other.name,
            shares=_shares(luck, word),
            percentage=_percentage(luck, word),
            start=date_text(luck, 1995, 2022) if luck.happens(70) else luck.pick((None, "")),
            end=self._end(luck),
        )

    def _end(self, luck: Chance) -> str | None:
        if luck.happens(self._mix.ended):
            return date_text(luck, 2012, 2023)
        return date_text(luck, 2090, 2099) if luck.happens(2) else luck.pick((None, ""))


def _roles(luck: Chance, one: Party, other: Party) -> tuple[Party, Party, Words]:
    """Who may hold which role of whom: nobody is director of a person."""
    role = luck.pick(_ROLES)
    if not _is_person(other):
        return one, other, (role, f"{role} Of")
    return other, one, (_MUTUAL if _is_person(one) else (role, f"{role} Of"))


def _is_person(party: Party) -> bool:
    return party.fields.get("BusinessStructure") == "Individual"


def _says(record: Party, word: str, other: Party) -> bool:
    """Whether the record names that party in that word already."""
    said = ((row.party_uuid, row.type.strip().casefold()) for row in record.relationships)
    return (other.uuid, word.casefold()) in said


def _as_typed(luck: Chance, word: str) -> str:
    return luck.pick((word.lower(), word.upper(), f" {word} ")) if luck.happens(6) else word


def _shares(luck: Chance, word: str) -> str | None:
    if word.startswith(("Shareholder", "Owner")):
        return str(1 + luck.below(1000))
    return luck.pick((None, "", "0"))


def _percentage(luck: Chance, word: str) -> str | None:
    return luck.pick(("50", "33.33")) if word.startswith("Partner") else luck.pick((None, "", "0"))
