"""Run the importer: `python -m services.importer`."""

from services.importer.app import compose
from services.importer.settings import ImporterSettings
from worker.app import run

if __name__ == "__main__":
    run("importer", compose, "Reads what XPM holds and stages it.", ImporterSettings)
