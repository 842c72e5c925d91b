"""The scalar types of the wire: strict, free of coercion, and never more than Postgres can hold.

Lengths count characters. Whatever does not fit is *not the schema*, so that no record passes the reader and then fails
in the database.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated

from pydantic import Field, StringConstraints

VISIBLE_ASCII = r"^[!-~]+$"
WITHOUT_NUL = r"^[^\x00]*$"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

TenantId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=VISIBLE_ASCII)]
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=VISIBLE_ASCII)]
EventId = Identifier
Digest = Annotated[str, StringConstraints(min_length=32, max_length=32, pattern=r"^[0-9a-f]{32}$")]
ReasonCode = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]

Name = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=WITHOUT_NUL)]
Short = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=WITHOUT_NUL)]
EmailText = Annotated[str, StringConstraints(min_length=1, max_length=320, pattern=WITHOUT_NUL)]
Long = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=WITHOUT_NUL)]
StaffName = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=WITHOUT_NUL)]
DecimalText = Annotated[str, StringConstraints(max_length=20, pattern=r"^[0-9]{1,12}(\.[0-9]{1,6})?$")]


MONTH_AND_DAY = (
    "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8])"
)
FOUR_TO_96 = "(0[48]|[2468][048]|[13579][26])"


def _days(years: str, leap_years: str) -> str:
    """The pattern of every day that there is in these years: exact, so that other languages read what we read."""
    return f"(({years})-({MONTH_AND_DAY})|({leap_years})-02-29)"


ANY_DAY = _days(
    years="[0-9]{3}[1-9]|[0-9]{2}[1-9][0-9]|[0-9][1-9][0-9]{2}|[1-9][0-9]{3}",
    leap_years=f"[0-9]{{2}}{FOUR_TO_96}|{FOUR_TO_96}00",
)
DAY_OF_1970_TO_2999 = _days(
    years="19[7-9][0-9]|2[0-9]{3}",
    leap_years=f"19(7[26]|8[048]|9[26])|2[0-9]{FOUR_TO_96}|2[048]00",
)
TIME_OF_DAY = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
TIME_OFFSET = "(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"

CalendarDate = Annotated[
    str,
    StringConstraints(pattern=f"^{ANY_DAY}$"),
    Field(json_schema_extra={"format": "date"}),
]
"""A local calendar date, `YYYY-MM-DD`; never shifted by a time zone."""

Timestamp = Annotated[
    str,
    StringConstraints(pattern=f"^{DAY_OF_1970_TO_2999}T{TIME_OF_DAY}Z$"),
    Field(json_schema_extra={"format": "date-time"}),
]
"""An instant of the years 1970 to 2999 as RFC 3339 writes it, in UTC; kept to the millisecond."""

SenderTime = Annotated[
    str,
    StringConstraints(pattern=f"^{DAY_OF_1970_TO_2999}T{TIME_OF_DAY}{TIME_OFFSET}$"),
    Field(json_schema_extra={"format": "date-time"}),
]
"""An instant by a sender's clock, as RFC 3339 writes it, with any offset; nothing is computed from it."""


@lru_cache(maxsize=4096)
def timestamp(milliseconds: int) -> str:
    """A broker timestamp (milliseconds since 1970, UTC) as the wire writes it: `2026-11-23T07:14:29.123Z`."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def milliseconds(instant: str) -> int:
    """The instant in whole milliseconds since 1970, UTC; what is finer is cut off. The inverse of `timestamp`."""
    return (datetime.fromisoformat(instant) - _EPOCH) // timedelta(milliseconds=1)
