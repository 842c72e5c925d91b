"""Run the notifier: `python -m services.notifier`."""

import gc

if __name__ == "__main__":
    gc.disable()  # until `run`: what is imported stays

from services.notifier.app import compose
from worker.app import run

if __name__ == "__main__":
    run("notifier", compose, "Tells how every integration action of the past 72 hours stands.")
