"""What a loop tells about itself, for its health endpoints and its watchdog."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Literal

State = Literal["starting", "joining", "consuming", "waiting", "standing_by", "stopped"]
READY_STATES: tuple[State, ...] = ("consuming", "standing_by")


@dataclass(slots=True)
class Progress:
    """`turned` is when the loop last came round, `moved` when it last got something done or had nothing to do.

    Both are readings of the monotonic clock, in seconds. `waiting` means that the database or Kafka is gone; `ready`
    is set once the loop has come to consume, or to stand by.
    """

    state: State = "starting"
    turned: float = field(default_factory=time.monotonic)
    moved: float = field(default_factory=time.monotonic)
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    def turn(self, state: State) -> None:
        """The loop came round."""
        self.state = state
        self.turned = time.monotonic()
        if state in READY_STATES:
            self.ready.set()

    def move(self) -> None:
        """Something was done, or there was nothing to do, or it is not up to this process."""
        self.moved = time.monotonic()

    def age(self, now: float) -> float:
        """Seconds since the loop was last known to be well."""
        return now - min(self.turned, self.moved)
