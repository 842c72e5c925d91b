"""A window of calls as Xero counts them, as far as it can be known from outside; pure.

Windows are fixed and follow one another without a gap. Nobody says when they begin: that shows when an answer says that
more calls are left than one before it did, or when a refused call says for how long to wait. So the end of a window is
known between two moments, and a call that was answered after the first of them counts in both windows until it is
known in which. The fewer calls left an answer tells of, the later it was counted, so `left` is the least; whatever was
leased and not reported yet comes off it where it is used.

Times are seconds since 1970 by the database's clock.
"""

import math
from dataclasses import dataclass, replace

DRIFT = 1e-4
"""By how much of its length a window may begin earlier or later than the one before it says: clocks differ."""
FORGOTTEN_AFTER = 1_000
"""Windows without a word, after which nothing is known any more."""

REMEMBERED = 500
"""Calls of which it is not known in which window they count; there are more only where nothing fits."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How many calls a window allows, how many seconds it lasts, and how many calls are kept for people who wait."""

    allowed: int
    seconds: float
    reserved: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A call between the moment it was sent and its answer, and how many calls were left then; None is unknown.

    Clocks differ, reports do not: it was the `told`-th that anybody reported, and was made after the first `after`;
    those of one report follow one another.
    """

    sent: float
    received: float
    left: int | None
    after: int = 0
    told: int = 1
    report: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """The window that is open. It ends between two moments; `left` calls are left of it at least.

    `spilled` says when those calls were answered that count either in it or in the next one. `first` and `last` are the
    answers of it that told of the most and of the fewest calls left, None as long as none has told anything.
    """

    ends_from: float
    ends_by: float
    left: int
    spilled: tuple[float, ...] = ()
    first: Answer | None = None
    last: Answer | None = None

    def used(self, rule: Rule) -> int:
        """Calls that an answer told to be used."""
        return rule.allowed - (rule.allowed if self.last is None else self.last.left or 0)


def open_at(window: Window | None, rule: Rule, now: float) -> Window | None:
    """The window that is open for certain."""
    if window is None or now < window.ends_by:
        return window
    turns = math.floor((now - window.ends_by) / rule.seconds) + 1
    if turns > FORGOTTEN_AFTER:
        return None
    return _next(window, rule, turns, rule.allowed - (len(window.spilled) if turns == 1 else 0))


def heard(window: Window | None, rule: Rule, answer: Answer, unreported: int) -> Window:
    """Learn from an answer; `unreported` other calls may have been counted too. Hear answers in their order."""
    if window is None:
        return _first_heard(rule, answer)
    if answer.received <= window.ends_from - rule.seconds:
        return window  # it was counted in an earlier one
    if answer.left is not None and (_is_after(answer, window.first) or _is_after(answer, window.last)):
        return _jumped(window, rule, answer)
    if answer.left is None or answer.sent < window.ends_by - rule.seconds:
        return _uncertain(window, answer)
    if window.last is not None and answer.received > window.ends_from:
        return _at_the_end(window, rule, answer, unreported)
    return _within(window, answer)


def refused(window: Window | None, rule: Rule, answer: Answer, retry_after: float | None) -> Window:
    """Learn from a call that was refused because of this window; Xero rounds the wait up to whole seconds."""
    if retry_after is None:
        known = window or Window(answer.sent, answer.received + rule.seconds, 0)
        return replace(known, left=0)
    earliest, latest = answer.sent + retry_after - 1, answer.received + retry_after
    if window is not None and max(earliest, window.ends_from) < min(latest, window.ends_by):
        earliest, latest = max(earliest, window.ends_from), min(latest, window.ends_by)
    return Window(max(earliest, answer.sent), latest, 0)


def _first_heard(rule: Rule, answer: Answer) -> Window:
    told = answer if answer.left is not None else None
    left = rule.allowed - 1 if answer.left is None else min(answer.left, rule.allowed)
    return Window(
        answer.sent, answer.received + rule.seconds, left, () if told else (answer.received,), told, told
    )


def _is_after(answer: Answer, other: Answer | None) -> bool:
    """Whether a new window has begun between the two for certain: within one, a later call finds fewer left."""
    if other is None or other.left is None or answer.left is None or answer.left < other.left:
        return False
    is_next = answer.report == other.report and answer.told > other.told
    return is_next or answer.sent >= other.received or answer.after >= other.told


def _jumped(window: Window, rule: Rule, answer: Answer) -> Window:
    """A new window has begun, after the last answer of the old one was sent and before this one was there."""
    assert window.last is not None
    assert answer.left is not None
    earliest = max(min(window.last.sent, answer.sent), window.ends_from)
    latest = min(answer.received, window.ends_by)
    if earliest >= latest:
        earliest, latest = min(window.last.sent, answer.sent), answer.received
    counted_later = sum(received > answer.sent for received in window.spilled)
    return Window(
        earliest + rule.seconds,
        latest + rule.seconds,
        min(answer.left, rule.allowed) - counted_later,
        first=answer,
        last=answer,
    )


def _at_the_end(window: Window, rule: Rule, answer: Answer, unreported: int) -> Window:
    """A call that may have been counted in the next window: not if it tells of fewer calls left than that can have."""
    assert window.first is not None
    assert window.first.left is not None
    assert window.last is not None
    assert window.last.left is not None
    assert answer.left is not None
    left = min(window.left, answer.left)
    anew = max(rule.allowed, window.first.left + 1) - len(window.spilled) - unreported - 1
    if answer.left >= min(window.last.left, anew):
        return replace(_spilled(window, answer), left=left)
    return replace(
        window,
        ends_from=max(window.ends_from, answer.sent),
        left=left,
        spilled=tuple(received for received in window.spilled if received > answer.sent),
        last=answer,
    )


def _within(window: Window, answer: Answer) -> Window:
    assert answer.left is not None
    left = min(window.left, answer.left)
    if window.first is None or window.last is None:
        return replace(_spilled(window, answer), left=left, first=answer, last=answer)
    first = answer if answer.left > (window.first.left or 0) else window.first
    last = answer if answer.left < (window.last.left or 0) else window.last
    return replace(window, left=left, first=first, last=last)


def _uncertain(window: Window, answer: Answer) -> Window:
    """A call that may have been counted in this window, of which more is not known."""
    return replace(_spilled(window, answer), left=window.left - 1)


def _spilled(window: Window, answer: Answer) -> Window:
    if answer.received <= window.ends_from:
        return window
    return replace(window, spilled=(*window.spilled, answer.received)[-REMEMBERED:])


def _next(window: Window, rule: Rule, turns: int, left: int) -> Window:
    passed, drift = turns * rule.seconds, turns * rule.seconds * DRIFT
    return Window(window.ends_from + passed - drift, window.ends_by + passed + drift, left)
