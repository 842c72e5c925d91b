"""
The texts that XPM prints, as values: pure functions, to `None` where a text says that there is no value.

People type into these fields whatever they like; a text that should be a value and is none raises `ValueError`.
"""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_IDENTIFIER = re.compile(r"[0-9a-z][0-9a-z-]{0,63}")
_DAY = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T[0-9:.]{5,20}(?:Z|[+-][0-9:]{4,5})?)?|([0-9]{4})([0-9]{2})([0-9]{2})"
)
_UNSET_DAY = date(1, 1, 1)
_FLAG = re.compile(r"yes|no|true|false")
_WHOLE = re.compile(r"([0-9]{1,18})(?:\.0{1,6})?")
_DECIMAL = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,20})?")
_BETWEEN_ADDRESSES = re.compile(r"[\s,;/|<>]+")
_ATOM = r"[^\s.@\"(),:;<>\[\\\]]+"
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_ADDRESS = re.compile(
    rf"(?=.{{3,254}}$)(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[^\W\d_][\w-]{{0,62}}"
)


def line(text: str) -> str | None:
    """A text on one line, without control characters, with single blanks."""
    if text.isprintable() and "  " not in text:  # nearly always, and far quicker than to look for what is not
        return text.strip() or None
    words = text.split()
    safe = (_UNSAFE.sub("", word) for word in words)
    return " ".join(word for word in safe if word) or None


def lines(text: str) -> str | None:
    """A text on several lines, each trimmed, the blank ones dropped."""
    return "\n".join(filter(None, map(line, text.splitlines()))) or None


def shortened(text: str, limit: int) -> str:
    return text[:limit].rstrip()


def identifier(text: str) -> str:
    """A UUID or a number as an id, in lower case; XPM's docs print malformed UUIDs too, so the form is not checked."""
    return _matched(_IDENTIFIER, text.strip().lower())[0]


def day(text: str) -> str | None:
    """
    A calendar date, as `YYYY-MM-DD`, of any of the three formats; a time of day is dropped, never shifted.

    0001-01-01 is how .NET prints a date that was never set.
    """
    numbers = (int(number) for number in _matched(_DAY, text.strip()).groups() if number)
    value = date(*numbers)
    return None if value == _UNSET_DAY else value.isoformat()


def flag(text: str) -> bool:
    """Yes and No on records, true and false elsewhere, in any case."""
    return _matched(_FLAG, text.strip().lower())[0] in ("yes", "true")


def whole(text: str) -> int | None:
    """A number of things; 0 is none given."""
    return int(_matched(_WHOLE, text.strip().replace(",", ""))[1]) or None


def percentage(text: str) -> str | None:
    """A decimal with at most six places, in its shortest form; 0 is none given."""
    found = _matched(_DECIMAL, text.strip().removesuffix("%").rstrip())
    value = round(Decimal(found[0]), 6).normalize()
    return f"{value:f}" if value else None


def only_address(text: str) -> str | None:
    """The e-mail address in a field that holds one and nothing else; one of several, or among words, is a guess."""
    parts = [part.removeprefix("mailto:") for part in _BETWEEN_ADDRESSES.split(line(text) or "") if part]
    return parts[0] if len(parts) == 1 and _ADDRESS.fullmatch(parts[0]) else None


def address(street: str | None, place: Iterable[str | None], country: str | None) -> str | None:
    """A postal address of several lines; a country alone is none."""
    town = " ".join(filter(None, place))
    return "\n".join(filter(None, (street, town, country))) if street or town else None


def _matched(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if found is None:
        raise ValueError("no such value")
    return found
