"""Ends the process when it is stuck, so that whoever runs it starts it again.

It is a thread, since a blocked event loop could not tell. The loop is stuck when it no longer comes round, or when it
comes round and yet does not move though there is something to do; waiting for a database or a broker that is gone
counts as moving. Known causes are a consumer that falls silent after a request has timed out, and a call that blocks.
"""

import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable

import structlog

from worker.progress import Progress

log = structlog.get_logger(__name__)

EXIT_CODE = 70
LOOKS_PER_LIMIT = 20


class Watchdog:
    """Looks at a loop's progress; `bite` is what ends the process."""

    def __init__(self, progress: Progress, seconds: float, bite: Callable[[], None] | None = None) -> None:
        self._progress = progress
        self._seconds = seconds
        self._bite = bite or end_process
        self._called_off = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def call_off(self) -> None:
        self._called_off.set()

    def _watch(self) -> None:
        while not self._called_off.wait(self._seconds / LOOKS_PER_LIMIT):
            age = self._progress.age(time.monotonic())
            if age > self._seconds:
                log.critical("stuck", state=self._progress.state, seconds=round(age, 1))
                self._bite()
                return


def end_process() -> None:
    """Show where every thread is, and end without any clean-up: what is stuck could not be cleaned up either."""
    faulthandler.dump_traceback(sys.stderr)
    os._exit(EXIT_CODE)
