"""Run the resolver: `python -m services.resolver`."""

import gc

if __name__ == "__main__":
    gc.disable()  # until `run`: what is imported stays

from services.resolver.app import compose
from worker.app import run

if __name__ == "__main__":
    run("resolver", compose, "Decides what each record of the journal comes to.")
