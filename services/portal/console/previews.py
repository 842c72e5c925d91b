"""What a link would replace, and what has changed since somebody looked: field by field, for people to read."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.portal.records import MEMBER_FIELDS, Item, Member


@dataclass(frozen=True, slots=True)
class Difference:
    """One field, as it is and as it would be, or as it was and as it is."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """One field of a preview; `kept` is why the member's value stays although XPM has another."""

    field: str
    now: str | None
    after: str | None
    kept: str | None = None

    @property
    def changes(self) -> bool:
        return self.now != self.after


def preview(item: Item, member: Member) -> list[Line]:
    """What the member would be once linked, in the fields that either has. The resolver does it; this only shows it."""
    lines = [_line(field, item.values.get(field), member) for field in MEMBER_FIELDS]
    return [line for line in lines if line.now is not None or line.after is not None]


def changed_since(shown: Mapping[str, str], present: Mapping[str, str]) -> list[Difference]:
    """The fields that are no longer as they were shown."""
    return [
        Difference(field, shown.get(field) or None, present.get(field))
        for field in MEMBER_FIELDS
        if (shown.get(field) or None) != present.get(field)
    ]


def _line(field: str, xpm: str | None, member: Member) -> Line:
    now = member.details.get(field)
    if xpm is None:
        return Line(field, now, now)
    if field == "email" and member.co_owner:
        return Line(field, now, now, "a co-owner's e-mail stays" if xpm != now else None)
    return Line(field, now, xpm)
