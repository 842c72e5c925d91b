"""The numbers of open imports, counted afresh, and the end of an import with nothing left to do."""

from tests.support.model.practice import Practice, holds
from tests.support.model.records import Row

STATES = ("pending", "imported", "linked", "ignored", "attached", "withdrawn")


def settle(practice: Practice) -> None:
    """After every record: count for each open import, and complete those with nothing left."""
    for run in practice.open_imports():
        count(practice, run)
        if run["item_ids"] is not None and not run["unstaged"] and not run["counts"]["pending"]:
            run["status"] = "completed"


def count(practice: Practice, run: Row) -> None:
    held = [item for item in practice.items.values() if holds(run, item)]
    for state in STATES:
        run["counts"][state] = sum(item["state"] == state for item in held)
    staged = [item for item in held if item["staged_from"] >= run["started_from"]]
    run["unstaged"] = 0 if run["item_ids"] is None else len(run["item_ids"]) - len(staged)
