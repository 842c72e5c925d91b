"""The watchdog."""

import threading
import time

import pytest

from worker.progress import Progress
from worker.watchdog import Watchdog

LIMIT = 0.4


def bitten(progress: Progress, keep_well: str) -> bool:
    """Whether the watchdog bites within three times its limit while only some of the signs of life are given."""
    bite = threading.Event()
    watchdog = Watchdog(progress, LIMIT, bite.set)
    watchdog.start()
    deadline = time.monotonic() + 3 * LIMIT
    while time.monotonic() < deadline and not bite.is_set():
        if "turn" in keep_well:
            progress.turn("consuming")
        if "move" in keep_well:
            progress.move()
        bite.wait(LIMIT / 10)
    watchdog.call_off()
    return bite.is_set()


def test_a_loop_that_turns_and_moves_is_left_alone() -> None:
    """Also when it does so for longer than the limit."""
    assert not bitten(Progress(), "turn move")


@pytest.mark.parametrize("keep_well", ["", "turn", "move"])
def test_a_loop_that_stands_still_is_bitten(keep_well: str) -> None:
    """It may not come round at all, or come round and get nothing done."""
    assert bitten(Progress(), keep_well)
