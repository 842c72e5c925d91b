"""What a practice has left of its calls, who has leased some of it, and what may be handed out next; pure.

A lease is one of the few calls that may run at once, with some calls of the minute and of the day. Calls that were
leased and are not reported yet may be counted whenever XPM likes, so they come off what is left of either window. A
lease that nobody extends or reports is taken for used up.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from services.importer.quota import windows
from services.importer.quota.windows import Answer, Rule, Window

BLOCK = 8
"""Calls of one lease: the more, the fewer round trips; the fewer, the less lies idle at the end of a window."""
UNHEARD_BLOCK = 2
"""Calls of one lease as long as no answer has told what is left of the window: others may use it too."""
LITTLE = 2
CROWDED_SECONDS = 10.0
"""How long half of the calls at once is enough, after XPM said that too many ran at once."""
PROBE_SECONDS = 900.0
"""While nobody knows when a day begins, an import may look so often, with a call of those kept for people."""
PROBING_FROM = 3_600.0
"""Only such long windows are worth that, in seconds."""
CLOCKS_DIFFER = 0.06
"""Seconds that the clocks of processes may differ by; in windows of less than a minute, less in proportion."""

Kind = Literal["minute", "day"]


@dataclass(frozen=True, slots=True)
class Rules:
    """The limits of a practice, and for how many seconds a lease lasts unless it is extended."""

    at_once: int
    minute: Rule
    day: Rule
    lease_seconds: float


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it was answered; `refused_by` is the limit that it broke, for `retry_after` seconds."""

    sent: float
    received: float
    minute_left: int | None = None
    day_left: int | None = None
    refused_by: str | None = None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """Calls that are somebody's until `until`, made after `granted_at` and after the first `after` reported ones."""

    calls: int
    granted_at: float
    until: float
    after: int = 0


@dataclass(frozen=True, slots=True)
class Budget:
    """Everything that is known of a practice's quota."""

    minute: Window | None = None
    day: Window | None = None
    leases: Mapping[str, Lease] = field(default_factory=dict)
    crowded_until: float = 0.0
    probed_at: float = 0.0
    told: int = 0
    """Calls that were ever reported."""

    @property
    def unreported(self) -> int:
        return sum(lease.calls for lease in self.leases.values())


@dataclass(frozen=True, slots=True)
class Granted:
    """So many calls may be made, one after the other."""

    calls: int


@dataclass(frozen=True, slots=True)
class Busy:
    """As many calls run as may, or others have leased what is left: ask again soon."""


@dataclass(frozen=True, slots=True)
class Exhausted:
    """No more calls before `until`."""

    kind: Kind
    until: float


def open_at(budget: Budget, rules: Rules, now: float) -> Budget:
    """The budget as it is now: windows have turned, and leases have run out."""
    opened = replace(
        budget,
        minute=windows.open_at(budget.minute, rules.minute, now),
        day=windows.open_at(budget.day, rules.day, now),
        leases={name: lease for name, lease in budget.leases.items() if lease.until > now},
    )
    for name in budget.leases.keys() - opened.leases.keys():
        gone = budget.leases[name]
        opened = _heard(opened, rules, [Call(gone.granted_at, now)] * gone.calls, gone.after)
    return opened


def lease(
    budget: Budget, rules: Rules, now: float, name: str, *, for_person: bool
) -> tuple[Budget, Granted | Busy | Exhausted]:
    """Hand out calls if there are any. A person may have what is kept for people."""
    for kind, window, rule in _windows(budget, rules):
        if window is not None and window.left <= (0 if for_person else rule.reserved):
            return _exhausted(budget, rules, now, name, kind, window, rule)
    room = _room(budget, rules, for_person=for_person)
    if room <= 0 or _is_crowded(budget, rules, now, for_person=for_person):
        return budget, Busy()
    calls = 1 if for_person else _block(budget, rules, room, now)
    return _with_lease(budget, rules, now, name, calls), Granted(calls)


def report(
    budget: Budget, rules: Rules, now: float, name: str, calls: Iterable[Call], running: int | None = None
) -> Budget:
    """Take back a lease with the calls that were made on it; those that were not made are free again.

    With `running` it is kept for the usual time from now: for a call that goes on (1), or for one that was given up and
    counted, but may go on at XPM's side (0).
    """
    leases = {each: it for each, it in budget.leases.items() if each != name}
    if running is not None:
        leases[name] = Lease(running, now, now + rules.lease_seconds, budget.told)
    after = budget.leases[name].after if name in budget.leases else 0
    made = sorted(calls, key=lambda call: call.received)
    return _heard(replace(budget, leases=leases), rules, made, after)


def left(budget: Budget, rules: Rules) -> int:
    """Calls that imports may make before anything turns, beside those that are leased; none of windows unheard of."""
    if budget.minute is None or budget.day is None:
        return 0
    return max(_room(budget, rules, for_person=False), 0)


def _windows(budget: Budget, rules: Rules) -> tuple[tuple[Kind, Window | None, Rule], ...]:
    """The longer wait first."""
    return ("day", budget.day, rules.day), ("minute", budget.minute, rules.minute)


def _room(budget: Budget, rules: Rules, *, for_person: bool) -> int:
    """Calls that both windows have for certain. The first call of all finds out what they have."""
    unreported = budget.unreported
    rooms = [
        1 - unreported if window is None else window.left - unreported - (0 if for_person else rule.reserved)
        for _, window, rule in _windows(budget, rules)
    ]
    return min(rooms)


def _is_crowded(budget: Budget, rules: Rules, now: float, *, for_person: bool) -> bool:
    """Whether no further call may run: one is kept for people, and a window in doubt begins with one lease's calls."""
    if not for_person and budget.unreported and _doubt(budget, rules, now) < LITTLE:
        return True
    at_once = rules.at_once if now >= budget.crowded_until else max(rules.at_once // 2, 1)
    return len(budget.leases) >= (at_once if for_person else max(at_once - 1, 1))


def _block(budget: Budget, rules: Rules, room: int, now: float) -> int:
    """Calls of the next lease: few as long as it takes reports to know whether a window has turned."""
    if budget.minute is None or budget.minute.last is None:
        return min(room, UNHEARD_BLOCK)
    doubt = _doubt(budget, rules, now)
    return max(min(BLOCK, room // 2, doubt if doubt >= LITTLE else BLOCK), 1)


def _doubt(budget: Budget, rules: Rules, now: float) -> int:
    """How many calls of each lease may be out so that their answers still tell in which window they count."""
    doubts = [
        window.used(rule) // BLOCK
        for _, window, rule in _windows(budget, rules)
        if window is not None and window.last is not None and now >= window.ends_from
    ]
    return min(BLOCK, *doubts) if doubts else BLOCK


def _exhausted(
    budget: Budget, rules: Rules, now: float, name: str, kind: Kind, window: Window, rule: Rule
) -> tuple[Budget, Granted | Busy | Exhausted]:
    """Say until when; where that is not known to a hundredth of the window, look now and then."""
    if rule.seconds < PROBING_FROM or window.ends_by - window.ends_from < rule.seconds / 100:
        return budget, Exhausted(kind, window.ends_by)
    if window.left - budget.unreported <= rule.reserved // 2:
        return budget, Exhausted(kind, min(window.ends_by, now + PROBE_SECONDS))
    if now < budget.probed_at + PROBE_SECONDS:
        return budget, Exhausted(kind, min(window.ends_by, budget.probed_at + PROBE_SECONDS))
    if budget.minute is None or budget.minute.left - budget.unreported <= rules.minute.reserved:
        return budget, Busy()
    return replace(_with_lease(budget, rules, now, name, 1), probed_at=now), Granted(1)


def _with_lease(budget: Budget, rules: Rules, now: float, name: str, calls: int) -> Budget:
    granted = Lease(calls, now, now + rules.lease_seconds, budget.told)
    return replace(budget, leases={**budget.leases, name: granted})


def _heard(budget: Budget, rules: Rules, calls: Sequence[Call], after: int) -> Budget:
    """Calls that were made one after the other, all of them after so many others were reported."""
    unreported, report = budget.unreported, budget.told + 1
    for call in calls:
        order = after, budget.told + 1, report
        budget = replace(budget, told=budget.told + 1)
        if call.refused_by is not None:
            budget = _refused(budget, rules, call)
        else:
            minute = _answer(call, rules.minute, call.minute_left, *order)
            day = _answer(call, rules.day, call.day_left, *order)
            budget = replace(
                budget,
                minute=windows.heard(budget.minute, rules.minute, minute, unreported),
                day=windows.heard(budget.day, rules.day, day, unreported),
            )
    return budget


def _answer(call: Call, rule: Rule, left: int | None, *order: int) -> Answer:
    """The call between the moments that any process's clock may have meant."""
    unsure = CLOCKS_DIFFER * min(rule.seconds / 60, 1)
    return Answer(call.sent - unsure, call.received + unsure, left, *order)


def _refused(budget: Budget, rules: Rules, call: Call) -> Budget:
    match call.refused_by:
        case "minute":
            minute = windows.refused(
                budget.minute, rules.minute, _answer(call, rules.minute, 0), call.retry_after
            )
            return replace(budget, minute=minute)
        case "day":
            day = windows.refused(budget.day, rules.day, _answer(call, rules.day, 0), call.retry_after)
            return replace(budget, day=day)
        case "concurrent":
            return replace(budget, crowded_until=call.received + CROWDED_SECONDS)
    return budget
