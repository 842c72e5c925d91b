"""Made-up details: as staff type them, and as XPM has them."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.journals.composer import Dice
from tests.support.journals.pools import BAD_EMAILS, CLIENT_FIELDS, EMAILS, NAMES, OTHER_FIELDS, PARTIES

ABSENT = object()


def sent(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields without those that are absent."""
    return {name: value for name, value in fields.items() if value is not ABSENT}


def typed_email(dice: Dice) -> Any:
    return dice.pick((ABSENT, ABSENT, *EMAILS, *EMAILS, None, dice.pick(BAD_EMAILS)))


def typed(
    dice: Dice, *, name_needed: bool, fields: Mapping[str, Sequence[str]] = OTHER_FIELDS
) -> dict[str, Any]:
    """Details as staff amend them: most absent, some set, some cleared."""
    names = NAMES if name_needed else (ABSENT, ABSENT, *NAMES)
    others = {name: dice.pick((ABSENT, ABSENT, *values, None)) for name, values in fields.items()}
    return sent({"name": dice.pick(names), "email": typed_email(dice), **others})


def typed_client(dice: Dice, *, name_needed: bool) -> dict[str, Any]:
    personal = typed(dice, name_needed=name_needed, fields={"title": ("Mr", "Ms"), **CLIENT_FIELDS})
    account_email = dice.pick((ABSENT, ABSENT, *[dice.pick(EMAILS)] * 3, None, dice.pick(BAD_EMAILS)))
    return personal | sent({"account_email": account_email})


def in_xpm(dice: Dice, of: str, fields: Mapping[str, Sequence[str]] = OTHER_FIELDS) -> dict[str, Any]:
    """Details as XPM has them: mostly the same for the same party, so that many imports change little."""
    usual = PARTIES.index(of) if of in PARTIES else 0
    email = EMAILS[usual]
    others = {
        name: _as_usual_or_not(dice, values[usual % 2], values[(usual + 1) % 2])
        for name, values in fields.items()
    }
    return sent(
        {
            "name": dice.pick((NAMES[usual], NAMES[usual], NAMES[(usual + 1) % 3])),
            "email": dice.pick((email, email, *EMAILS, ABSENT, None, *[dice.pick(BAD_EMAILS)] * 2)),
            **others,
        }
    )


def _as_usual_or_not(dice: Dice, usual: str, unusual: str) -> Any:
    return dice.pick((usual, usual, usual, unusual, ABSENT, None))
