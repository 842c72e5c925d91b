"""Times and durations as people type them and as tables show them; always UTC."""

import re
from datetime import UTC, datetime, timedelta

from ops.ending import Misused

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"(\d+)([smhdw])")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_duration(text: str) -> timedelta | None:
    """`90s`, `15m`, `2h`, `3d`, `1w`, or several together: `1d12h`. None for anything else."""
    if not re.fullmatch(r"(\d+[smhdw])+", text):
        return None
    return sum(
        (timedelta(**{UNITS[unit]: int(number)}) for number, unit in _DURATION.findall(text)), timedelta()
    )


def parse_time(text: str, now: datetime) -> datetime | None:
    """An instant as RFC 3339 or a day writes it, UTC unless it says so, or how long ago. None for anything else."""
    ago = parse_duration(text)
    if ago is not None:
        return now - ago
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def required_time(text: str, now: datetime) -> datetime:
    """The same. Raises `Misused` for what is no time."""
    found = parse_time(text, now)
    if found is None:
        raise Misused(
            f"{text!r} is no time: say 2026-11-25T09:00:00Z, 2026-11-25, or how long ago: 90s, 15m, 2h, 3d."
        )
    return found


def milliseconds(instant: datetime) -> int:
    """Since 1970, as brokers count."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def instant(milliseconds: int) -> datetime:
    """The inverse."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def shown_time(moment: datetime | None) -> str:
    """For tables: to the second, in UTC."""
    return "-" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def shown_duration(seconds: float) -> str:
    """For tables: `0 s`, `42 s`, `3 min`, `2 h 5 min`, `4 d 2 h`."""
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - a minute
        return f"{whole} s"
    minutes, hours, days = whole // 60 % 60, whole // 3600 % 24, whole // 86400
    if whole < 3600:  # noqa: PLR2004 - an hour
        return f"{minutes} min"
    return f"{days} d {hours} h" if days else f"{hours} h {minutes} min"
