"""Run the portal: `python -m services.portal`."""

import gc

if __name__ == "__main__":
    gc.disable()  # until `run`: what is imported stays

from services.portal.app import compose
from services.portal.settings import PortalSettings
from worker.app import run

if __name__ == "__main__":
    run(
        "portal",
        compose,
        "A portal's backend, and the console in which staff review what was imported.",
        PortalSettings,
    )
