"""Trouble on demand: what shall go wrong, for whom, on which calls, and how often."""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["outage", "throttle", "latency", "malformed", "doctype", "cut"]


class Fault(BaseModel):
    """
    One kind of trouble.

    It meets calls of one practice (`tenant`) or of all, whose path contains `path`, and is over after `calls`
    calls or, without a number, when it is cleared. `seconds` is how long an answer is held back (latency), or
    what `Retry-After` says (throttle; none is sent for `concurrent`).
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Kind
    tenant: str | None = None
    path: str = ""
    calls: int | None = Field(default=None, ge=1)
    seconds: float = Field(default=1, ge=0)
    problem: Literal["minute", "day", "concurrent", "appminute"] = "minute"

    def meets(self, tenant: str | None, path: str) -> bool:
        return self.tenant in (None, tenant) and self.path in path

    def spend(self) -> None:
        if self.calls is not None:
            self.calls -= 1

    @property
    def is_over(self) -> bool:
        return self.calls == 0


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
        """What goes wrong with this call: every latency, the first other fault; each spends one call."""
        met = [fault for fault in self._on if fault.meets(tenant, path)]
        slow = [fault for fault in met if fault.kind == "latency"]
        wrong = [fault for fault in met if fault.kind != "latency"]
        chosen = slow + wrong[:1]
        for fault in chosen:
            fault.spend()
        self._on = [fault for fault in self._on if not fault.is_over]
        return chosen
