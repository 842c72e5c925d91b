"""The golden journal, which reaches every rule, and what this release makes of it.

`python -m tests.support.journals.golden` writes the checksums anew, if the version of the rules is another one. With
`--journal` it looks for another journal first, for rules that have new reasons. Rules by which no live generation was
folded yet may change without another version: delete the checksums first.
"""

import hashlib
import json
import sys
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from services.resolver.domain.version import RULES_VERSION
from tests.support.journals import entries, reach
from tests.support.journals.composer import Composer, Dice, Journal
from tests.support.journals.entries import Entry
from tests.support.journals.strategies import Step, random_step
from tests.support.journals.verbs import VERBS
from tests.support.resolving.core import Core

FOLDER = Path(__file__).parents[2] / "unit" / "resolver" / "golden"
JOURNAL = FOLDER / "journal.jsonl"
CHECKSUMS = FOLDER / "checksums.json"

Forked = TypeVar("Forked")

ALL = (
    len(reach.REFUSALS)
    + len(reach.UNREADABLE)
    + len(reach.RESULTS)
    + len(reach.ITEM_CHANGES)
    + len(reach.IMPORT_CHANGES)
    + len(reach.EFFECTS)
)
CHUNK = 4
TRIES = 40


def checksums(journal: Iterable[Entry]) -> dict[str, str]:
    """A checksum for each table, and for the answers and outcomes of all records together."""
    core = Core()
    told = core.take(list(journal))
    answers = [[each.result, each.reason, each.claims_id, each.first_offset] for each in told]
    outcomes = [[part.data.model_dump() for part in each.parts] for each in told]
    return {name: _checksum(rows) for name, rows in core.tables().items()} | {
        "answers": _checksum(answers),
        "outcomes": _checksum(outcomes),
    }


def _checksum(rows: Any) -> str:
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


@dataclass
class Way:
    """A journal so far, and what it reaches."""

    composer: Composer = field(default_factory=Composer)
    reached: reach.Reach = field(default_factory=reach.Reach)

    def on(self, steps: Iterable[Step]) -> "Way":
        """This way, gone on for some steps."""
        way = Way(_fork(self.composer), _fork(self.reached))
        way.composer.model = _fork(self.composer.model)
        for step in steps:
            VERBS[step.verb](way.composer, Dice(step.thrown))
        since = len(self.composer.entries)
        way.reached.note(way.composer.entries[since:], way.composer.answers[since:])
        return way


def _fork(it: Forked) -> Forked:
    """A copy that goes its own way; what its fields hold is never changed in place."""
    forked = copy(it)
    vars(forked).update({name: copy(value) for name, value in vars(it).items()})
    return forked


def find(seed: int) -> Journal:
    """A journal that reaches everything: of some random ways to go on, take the one that reaches most."""
    chance, way = Random(seed), Way()
    while len(way.reached) < ALL:
        ways = [way.on(random_step(chance) for _ in range(CHUNK)) for _ in range(TRIES)]
        best = max(ways, key=lambda each: len(each.reached))
        if len(best.reached) > len(way.reached):
            way = best
    return way.composer.journal()


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    if "--journal" in sys.argv:
        entries.write(JOURNAL, find(seed=4).entries)
    known = json.loads(CHECKSUMS.read_text(encoding="utf-8")) if CHECKSUMS.exists() else {"rules": 0}
    made = {"rules": RULES_VERSION, **checksums(entries.read(JOURNAL))}
    if "--journal" not in sys.argv and made != known and known["rules"] == RULES_VERSION:
        sys.exit("The tables differ and the rules' version does not: raise RULES_VERSION first.")
    CHECKSUMS.write_text(json.dumps(made, indent=4) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
