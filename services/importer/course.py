"""What an import does next when XPM does not answer as it should: a decision, made without waiting."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.imports import FailureReason, WaitReason
from services.importer.xpm.errors import Passing, SourceUnavailable, Throttled, XpmError

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=5)
SHORTEST_THROTTLE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long an import is tried again: while XPM has trouble, and altogether since it was requested."""

    trouble: timedelta
    altogether: timedelta


@dataclass(frozen=True, slots=True)
class Wait:
    """Try again at `until`; the whole practice waits if it is for XPM's limits.

    `trouble_since` is None while XPM only asks for patience.
    """

    until: datetime
    why: WaitReason
    trouble_since: datetime | None
    whole_practice: bool = False


@dataclass(frozen=True, slots=True)
class Fail:
    """End the import: `message` says what a person can do."""

    reason: FailureReason
    message: str


OVERDUE = Fail(
    "source_unavailable",
    "The import could not be made in time: imports of this practice had to wait for too long. Import again.",
)


def is_overdue(now: datetime, requested_at: datetime, patience: Patience) -> bool:
    """Whether the import has to end without another look at XPM."""
    return now >= requested_at + patience.altogether


def is_last_attempt(now: datetime, trouble_since: datetime | None, patience: Patience) -> bool:
    """Whether there is no more patience with trouble: what cannot be read now is not read in this import."""
    return trouble_since is not None and now >= trouble_since + patience.trouble


def after(
    error: XpmError,
    now: datetime,
    requested_at: datetime,
    trouble_since: datetime | None,
    patience: Patience,
    chance: float,
) -> Wait | Fail:
    """Decide: what is final fails at once; a quota is waited for; trouble is tried again for as long as is patient.

    Waits in trouble double from 5 s up to 5 minutes; of each, `chance` (from 0 up to 1) takes off as much as half, so
    that imports which failed together do not come back together. They are never shorter than XPM asked for, but one
    last attempt is made when patience runs out.
    """
    step = _next(error, now, trouble_since, patience, chance)
    if isinstance(step, Fail) or step.until < requested_at + patience.altogether:
        return step
    return Fail(error.reason, error.sentence)


def _next(
    error: XpmError, now: datetime, trouble_since: datetime | None, patience: Patience, chance: float
) -> Wait | Fail:
    match error:
        case Throttled():
            pause = max(timedelta(seconds=error.retry_after), SHORTEST_THROTTLE)
            return Wait(now + pause, error.wait_reason, None, whole_practice=True)
        case Passing() if not is_last_attempt(now, trouble_since, patience):
            since = trouble_since or now
            until = min(now + _pause(error, now - since, chance), since + patience.trouble)
            return Wait(until, error.wait_reason, since)
    return Fail(error.reason, error.sentence)


def _pause(error: Passing, lasted: timedelta, chance: float) -> timedelta:
    """About as long as the trouble has lasted, so that each wait is about twice the one before."""
    pause = min(max(lasted, FIRST_WAIT), LONGEST_WAIT) * (1 - chance / 2)
    asked = error.retry_after if isinstance(error, SourceUnavailable) else None
    return pause if asked is None else max(pause, timedelta(seconds=asked))
