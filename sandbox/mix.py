"""How much of everything a made-up practice holds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mix:
    """
    Shares in percent: `archived` and `deleted` of the records, `dangling` and `ended` of the relationships.

    Dangling relationships point to `dangling` percent as many clients as there are records, whose own records are gone.
    With `relationships` every record has exactly that many, instead of as many as families happen to have.
    """

    archived: float = 3
    deleted: float = 1
    dangling: float = 2
    ended: float = 8
    relationships: int | None = None


AS_USUAL = Mix()
