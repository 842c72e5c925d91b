"""Run the resolver: `python -m services.resolver`."""

from services.resolver.app import compose
from worker.app import run

if __name__ == "__main__":
    run("resolver", compose, "Decides what each record of the journal comes to.")
