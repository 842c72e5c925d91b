"""Run the importer: `python -m services.importer`."""

import gc

if __name__ == "__main__":
    gc.disable()  # until `run`: what is imported stays

from services.importer.app import compose
from services.importer.settings import ImporterSettings
from worker.app import run

if __name__ == "__main__":
    run("importer", compose, "Reads what XPM holds and stages it.", ImporterSettings)
