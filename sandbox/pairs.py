"""A tie as XPM keeps it: a row on each of two records, in words that belong together."""

from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from sandbox.practice import Party, Practice, Relationship

ROLES = (
    "Director", "Shareholder", "Trustee", "Beneficiary", "Partner", "Settlor", "Secretary", "Public Officer",
    "Appointer", "Member", "Auditor", "Owner",
)  # fmt: skip
_MARRIED = ("Husband", "Wife")
WORDS = (
    *ROLES, *(f"{role} Of" for role in ROLES), "Parent Of", "Child Of", "Spouse", *_MARRIED, "Associate",
)  # fmt: skip
"""What XPM offers, and the forms with "Of" that its screens show."""

_OPPOSITES = {
    "parent of": "Child Of",
    "child of": "Parent Of",
    **{role.casefold(): f"{role} Of" for role in ROLES},
    **{f"{role} of".casefold(): role for role in ROLES},
    "appointor": "Appointor Of",
    "appointor of": "Appointor",
}


def opposite(word: str, record: Party) -> str:
    """The word on the other record, for a word on this one; one that nobody listed stands on both."""
    if _folded(word) in (married.casefold() for married in _MARRIED):
        return {"Female": "Wife", "Male": "Husband"}.get(str(record.fields.get("Gender")), "Spouse")
    return turned(word)


def turned(word: str) -> str:
    """The word that says the same of the other end; words that are the same at both stay."""
    return _OPPOSITES.get(_folded(word), word)


def _folded(word: str) -> str:
    return " ".join(word.split()).casefold()


def relate(practice: Practice, uuid: str, row: Relationship, now: datetime | None, *, both: bool) -> None:
    """Write a row on a record and, if `both`, its counterpart on the other one, where there is that record."""
    practice.relate(uuid, row, now)
    if both and row.party_uuid in practice.parties:
        record = practice.parties[uuid]
        there = replace(
            row,
            uuid=str(uuid4()),
            type=opposite(row.type, record),
            party_uuid=uuid,
            party_name=record.name,
        )
        practice.relate(row.party_uuid, there, now)


def end(
    practice: Practice, uuid: str, row_uuid: str, day: str | None, now: datetime | None, *, both: bool
) -> None:
    """Give a row an end date, or with `None` take it away; if `both`, on the other record too."""
    there = counterpart(practice, uuid, row_uuid) if both else None
    practice.end(uuid, row_uuid, day, now)
    if there is not None:
        practice.end(*there, day, now)


def unrelate(practice: Practice, uuid: str, row_uuid: str, now: datetime | None, *, both: bool) -> None:
    """Take a row away; if `both`, on the other record too."""
    there = counterpart(practice, uuid, row_uuid) if both else None
    practice.unrelate(uuid, row_uuid, now)
    if there is not None:
        practice.unrelate(*there, now)


def counterpart(practice: Practice, uuid: str, row_uuid: str) -> tuple[str, str] | None:
    """The record and the row that say the same from the other end, under the same id or in the opposite word."""
    row = practice.row(uuid, row_uuid)
    other = practice.parties.get(row.party_uuid)
    if other is None or other.uuid == uuid:
        return None
    word = opposite(row.type, practice.parties[uuid]).casefold()
    back = [it for it in other.relationships if it.party_uuid == uuid]
    found = [it for it in back if it.uuid == row_uuid] or [
        it for it in back if it.type.strip().casefold() == word
    ]
    return (other.uuid, found[0].uuid) if found else None
