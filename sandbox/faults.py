"""Trouble on demand: what shall go wrong, for whom, on which calls, and how often; `trouble` makes it happen."""

from collections.abc import Iterator
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from sandbox.chance import Chance

Kind = Literal[
    "latency",
    "throttle",
    "outage",
    "error",
    "cut",
    "malformed",
    "charset",
    "doctype",
    "huge",
    "token_dies",
    "refresh_lost",
    "any",
]
Problem = Literal["minute", "day", "concurrent", "appminute"]

MEANINGS: dict[Kind, str] = {
    "latency": "the answer is held back for `seconds`",
    "throttle": "429 of the kind `problem`, with `Retry-After: seconds` unless it is `concurrent`",
    "outage": "503, with JSON",
    "error": "500, with something that is no JSON although it says so",
    "cut": "the connection is cut in the middle of the document",
    "malformed": "XML that is not well formed",
    "charset": "text in windows-1252 that says it is UTF-8",
    "doctype": "a document whose entities grow beyond all bounds",
    "huge": "a list of `megabytes`: the practice's own clients, then made-up ones",
    "token_dies": "the call is answered, and its access token is worth nothing afterwards",
    "refresh_lost": "a refresh takes effect, and its answer never arrives",
    "any": "any one of those before `huge`, at random",
}
assert MEANINGS.keys() == set(get_args(Kind))

_AT_RANDOM: tuple[Kind, ...] = tuple(MEANINGS)[: tuple(MEANINGS).index("huge")]
_ON_CALLS_OF_THE_API = frozenset(MEANINGS) - {"refresh_lost"}


class Fault(BaseModel):
    """
    One kind of trouble.

    It meets calls of one practice (`tenant`) or of all, whose path contains `path`, `percent` of them by the luck of
    `seed`, and is over after `calls` calls or, without a number, when it is cleared.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Kind
    tenant: str | None = None
    path: str = ""
    calls: int | None = Field(default=None, ge=1)
    percent: float = Field(default=100, gt=0, le=100)
    seed: str = "trouble"
    seconds: float = Field(default=1, ge=0)
    problem: Problem = "minute"
    megabytes: int = Field(default=60, ge=1, le=1_000)
    _luck: Chance = PrivateAttr()

    def model_post_init(self, _context: object) -> None:
        self._luck = Chance(self.seed, self.kind, self.path, self.tenant)

    def meets(self, tenant: str | None, path: str) -> bool:
        """Whether the call is one of those that go wrong; every call that might costs one throw of the dice."""
        return self.tenant in (None, tenant) and self.path in path and self._luck.happens(self.percent)

    def spend(self) -> None:
        if self.calls is not None:
            self.calls -= 1

    @property
    def is_over(self) -> bool:
        return self.calls == 0

    def drawn(self) -> "Fault":
        """What it comes to this time: itself, unless it may be anything."""
        if self.kind != "any":
            return self
        problem = self._luck.pick(get_args(Problem))
        return self.model_copy(update={"kind": self._luck.pick(_AT_RANDOM), "problem": problem})


class Faults:
    """The faults that are on, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._on: list[Fault] = []

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._on)

    def add(self, fault: Fault) -> None:
        self._on.append(fault)

    def clear(self) -> None:
        self._on.clear()

    def for_call(self, tenant: str | None, path: str) -> list[Fault]:
        """What goes wrong with this call of the API: every latency, the first other fault; each spends one call."""
        met = [
            fault for fault in self._on if fault.kind in _ON_CALLS_OF_THE_API and fault.meets(tenant, path)
        ]
        slow = [fault for fault in met if fault.kind == "latency"]
        wrong = [fault for fault in met if fault.kind != "latency"]
        return [self._spent(fault).drawn() for fault in slow + wrong[:1]]

    def strikes(self, kind: Kind, tenant: str | None, path: str) -> bool:
        """Whether a fault of that kind meets this call, which then spends it."""
        struck = next((fault for fault in self._on if fault.kind == kind and fault.meets(tenant, path)), None)
        if struck is not None:
            self._spent(struck)
        return struck is not None

    def _spent(self, fault: Fault) -> Fault:
        fault.spend()
        self._on = [each for each in self._on if not each.is_over]
        return fault
