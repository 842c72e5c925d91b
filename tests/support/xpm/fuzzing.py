"""
A process that reads spoilt answers, one after another, and counts what becomes of them.

    python -m tests.support.xpm.fuzzing DOCUMENTS [SEED [FIRST]]

Every document follows from the seed and its number alone, so that one that breaks the reader can be made again. A
document that takes too long ends the process with a trace, like a crash of the parser does; `FUZZ_PLACE` names a file
that then holds the number. Prints JSON at the end.
"""

import faulthandler
import json
import os
import resource
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import orjson

from sandbox.camel import in_camel_case
from sandbox.dialect import AS_RECORDED, Dialect
from sandbox.document import Printer
from sandbox.harbour import harbour_practice
from sandbox.seeded import seeded_practice
from services.importer.xpm.errors import SourceInvalid
from services.importer.xpm.reader import ClientReader, Refused
from services.importer.xpm.records import Client
from tests.support.xpm.mutations import spoilt

_TOO_LONG_SECONDS = 20
_NOTED_EVERY = 50

DIALECTS = (
    AS_RECORDED,
    Dialect(ids="numeric", empty="absent", does_not_apply="0"),
    Dialect(
        declaration=True, api_method=False, web_url="inside", flags="booleans", prospects=True, empty="open"
    ),
)


def good_answers() -> list[bytes]:
    """Of every shape that the client asks for: one, many, an error; in XML and in JSON."""
    found: list[bytes] = []
    for practice in (harbour_practice(), seeded_practice("fuzz", 30)):
        parties = list(practice.parties.values())
        for dialect in DIALECTS:
            printer = Printer(practice, dialect)
            answers = [list(printer.one_client(party)) for party in parties[:12]]
            answers.append(list(printer.many_clients("List", parties[:4], "detailed")))
            answers.append(list(printer.refusal("Get", "Invalid client identifier")))
            found += ["".join(pieces).encode() for pieces in answers]
            found += [in_camel_case(pieces) for pieces in answers[::3]]
    return found


@dataclass
class Fuzzing:
    """Documents of one seed."""

    seed: str
    answers: list[bytes] = field(default_factory=good_answers)
    came_to: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, int] = (0.0, -1)

    def document(self, number: int) -> tuple[Random, bytes]:
        luck = Random(f"{self.seed}/{number}")
        return luck, spoilt(luck, luck.choice(self.answers), luck.choice(self.answers))

    def read(self, number: int) -> None:
        """Raises whatever the reader raises beyond its own."""
        luck, document = self.document(number)
        began = time.perf_counter()
        self.came_to[_outcome(luck, document)] += 1
        self.slowest = max(self.slowest, (time.perf_counter() - began, number))


def _outcome(luck: Random, document: bytes) -> str:
    reader = ClientReader()
    step = luck.choice((1_000_000, 4_096, 61, 7))
    found: list[Client] = []
    try:
        for start in range(0, len(document), step):
            found += reader.feed(document[start : start + step])
        found += reader.close()
    except SourceInvalid:
        return "invalid"
    except Refused:
        return "refused"
    for client in found:
        orjson.dumps(Client.model_validate(client.model_dump()).model_dump())
    return "read"


def main(documents: int, seed: str = "fuzz", first: int = 0) -> None:
    faulthandler.enable()
    fuzzing, place = Fuzzing(seed), os.environ.get("FUZZ_PLACE")
    began = time.perf_counter()
    for number in range(first, first + documents):
        if number % _NOTED_EVERY == 0:
            faulthandler.dump_traceback_later(_TOO_LONG_SECONDS, exit=True)
            if place:
                Path(place).write_text(str(number), encoding="utf-8")
        fuzzing.read(number)
    faulthandler.cancel_dump_traceback_later()
    seconds, slowest = time.perf_counter() - began, fuzzing.slowest
    told = {
        "documents": documents,
        "seed": seed,
        **fuzzing.came_to,
        "seconds": round(seconds, 1),
        "slowest_ms": round(slowest[0] * 1_000, 1),
        "slowest_number": slowest[1],
        "most_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024),
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:3], *map(int, sys.argv[3:4]))
