"""What people type into the forms, as changes to make. Everything raises `Mistake` with a sentence for who typed it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID, uuid4

from pydantic import TypeAdapter, ValidationError

from sandbox.admin import Text
from sandbox.document import KNOWN_FIELDS
from sandbox.faults import Fault
from sandbox.practice import Party, Practice, Relationship

Typed = Mapping[str, str]

_TEXT = TypeAdapter(Text)
_CANDIDATES = 5
_NUMBERS = {"calls": int, "percent": float, "seconds": float, "megabytes": int}


@dataclass
class Mistake(Exception):
    """Something typed that does not do; `where` is the name of the field."""

    where: str
    what: str
    typed: Typed = field(default_factory=dict)


def text(typed: Typed, name: str) -> str:
    """One field, without blanks around it."""
    given = typed.get(name, "").strip()
    try:
        return _TEXT.validate_python(given)
    except ValidationError:
        raise Mistake(name, "This has a character in it that XML cannot hold.") from None


def name_of_new(typed: Typed) -> str:
    return text(typed, "name") or _missing("name", "A client needs a name.")


def changed_fields(typed: Typed, party: Party) -> dict[str, str | None]:
    """
    The fields of a record as the form has them: those that were there, and one more.

    A box that is ticked leaves the element out; a blank field without it is there and empty.
    """
    found: dict[str, str | None] = {
        name: None if f"without-{name}" in typed else _kept(typed, name, value)
        for name, value in party.fields.items()
        if isinstance(value, str) and f"field-{name}" in typed
    }
    more = text(typed, "more")
    if more and more not in KNOWN_FIELDS:
        raise Mistake("more", f"A client record has no element {more}.")
    if more:
        found[more] = text(typed, "more-text")
    if found.get("Name") is None and "Name" in found:
        raise Mistake("field-Name", "A client needs a name.")
    return found


def _kept(typed: Typed, name: str, before: str) -> str:
    """With its blanks and line breaks, which are part of the world; browsers write line breaks in their own way."""
    given = typed[f"field-{name}"]
    text({f"field-{name}": given}, f"field-{name}")
    return before if given.split("\r\n") == before.replace("\r\n", "\n").split("\n") else given


def new_relationship(typed: Typed, practice: Practice) -> Relationship:
    party = _party(text(typed, "party"), practice)
    return Relationship(
        uuid=str(uuid4()),
        type=text(typed, "type") or _missing("type", "A relationship needs a word, such as Director."),
        party_uuid=party.uuid,
        party_name=party.name,
        shares=text(typed, "shares") or None,
        percentage=text(typed, "percentage") or None,
        start=day(typed, "start"),
        end=day(typed, "end"),
    )


def day(typed: Typed, name: str) -> str | None:
    """A day as a browser sends it, or none."""
    given = text(typed, name)
    try:
        return date.fromisoformat(given).isoformat() if given else None
    except ValueError:
        raise Mistake(name, f"{given} is no day: write it like 2024-06-30.") from None


def as_day(printed: str | None) -> str:
    """A day in one of XPM's formats, as a browser wants it; nothing for what is none."""
    digits = "".join(filter(str.isdigit, (printed or "")[:10]))
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if len(digits) == len("20240630") else ""


def fault(typed: Typed) -> Fault:
    given: dict[str, object] = {
        name: value for name in (*Fault.model_fields,) if (value := text(typed, name))
    }
    for name, number in _NUMBERS.items():
        if name in given:
            try:
                given[name] = number(str(given[name]))
            except ValueError:
                raise Mistake(name, f"{given[name]} is no number that would do here.") from None
    try:
        return Fault.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise Mistake(str(first["loc"][0]), f"{first['msg']}.") from None


def _party(wanted: str, practice: Practice) -> Party:
    """The client that an id or a name means; an id of nobody gives a relationship that leads nowhere."""
    if not wanted:
        _missing("party", "Say who the relationship is with.")
    if wanted.lower() in practice.parties:
        return practice.parties[wanted.lower()]
    named = [
        party for party in practice.parties.values() if party.name.strip().casefold() == wanted.casefold()
    ]
    if len(named) == 1:
        return named[0]
    if named:
        ids = ", ".join(party.uuid for party in named[:_CANDIDATES])
        raise Mistake("party", f"{len(named)} clients have this name. Give an id instead, such as {ids}.")
    try:
        return Party(str(UUID(wanted)), {"Name": "Somebody who is gone"})
    except ValueError:
        raise Mistake("party", f"No client has the name or id {wanted}.") from None


def _missing(where: str, what: str) -> str:
    raise Mistake(where, what)
