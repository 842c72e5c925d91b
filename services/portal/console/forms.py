"""What people typed into forms, and what is wrong with it in words beside the field."""

from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

from pydantic import ValidationError
from starlette.datastructures import FormData

from schemas.outcomes import OutcomeRecorded
from services.portal.records import FIELDS, OF_SEVERAL_LINES

Problems = Mapping[str, str]
"""Field -> what is wrong with it; under "" what is wrong with the whole."""

EMAIL_REASONS = frozenset({"email_required", "email_invalid", "email_taken"})
NAME_REASONS = frozenset({"name_required"})
PLAINLY: Mapping[str, str] = {
    "string_too_long": "This is too long.",
    "string_too_short": "This is missing.",
    "string_pattern_mismatch": "This is not as it must be.",
    "missing": "This is missing.",
}


def text(form: FormData, name: str) -> str:
    """What was typed, without spaces around it; browsers send every line break as two characters."""
    value = form.get(name, "")
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""


def several(form: FormData, name: str) -> list[str]:
    return [value for value in form.getlist(name) if isinstance(value, str)]


def given_id(form: FormData) -> str:
    """The id that the form was made with, so that sending it twice is one command."""
    try:
        return str(UUID(text(form, "id")))
    except ValueError:
        return str(uuid4())


def only_given(values: Mapping[str, str]) -> dict[str, str]:
    """The fields in which there is something."""
    return {field: value for field, value in values.items() if value}


def amended(
    typed: Mapping[str, str], shown: Mapping[str, str], fields: Sequence[str]
) -> dict[str, str | None]:
    """The fields that were changed from what was shown; one that was emptied is null."""
    return {
        field: typed.get(field) or None
        for field in fields
        if field in typed and typed[field] != as_typed(field, shown.get(field, ""))
    }


def as_typed(field: str, value: str) -> str:
    """What a browser sends for a field that nobody touched: a field of one line drops line breaks."""
    return value if field in OF_SEVERAL_LINES else value.replace("\n", "")


def problems_of(error: ValidationError) -> Problems:
    """What is wrong with which field, in words."""
    found: dict[str, str] = {}
    for each in error.errors():
        field = next((str(part) for part in each["loc"] if part in FIELDS), "")
        found.setdefault(field, PLAINLY.get(each["type"], "This is not as it must be."))
    return found


def refusal(outcome: OutcomeRecorded, email: str = "email") -> Problems:
    """What a rule says, beside the field it speaks of; `email` is the one that rules look at."""
    message = outcome.message or "This was refused."
    if outcome.reason in EMAIL_REASONS:
        return {email: message}
    return {"name": message} if outcome.reason in NAME_REASONS else {"": message}


def word(field: str) -> str:
    """What screens call a field."""
    return FIELDS.get(field, field.replace("_", " ").capitalize())
