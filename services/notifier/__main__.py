"""Run the notifier: `python -m services.notifier`."""

from services.notifier.app import compose
from worker.app import run

if __name__ == "__main__":
    run("notifier", compose, "Tells how every integration action of the past 72 hours stands.")
