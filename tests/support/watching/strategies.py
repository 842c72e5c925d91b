"""Two logs with many collisions, and ways of delivering them: in any interleaving, with any suffix again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.support.journals.composer import Dice
from tests.support.watching.story import NOON, Input, outcome, request, run

SECOND = 1000
TENANTS = ("birch", "birch", "cedar")
IMPORTS = {f"import-{number}": NOON + number * SECOND for number in range(4)}
BULKS = {"import-0": "bulk-a", "import-1": "bulk-a", "import-2": "bulk-b"}
STATUSES = ("fetching", "ready_for_review", "in_review", "completed", "failed", "superseded")
NAMES = (None, "Oak", "Elm")


@dataclass(frozen=True)
class Logs:
    """What stands in the two topics."""

    requests: Sequence[Input]
    outcomes: Sequence[Input]


Delivered = list[tuple[int, Input]]
"""A batch: offsets and inputs."""


def a_request(dice: Dice) -> Input:
    import_id = dice.pick(sorted(IMPORTS))
    return request(
        import_id,
        at=IMPORTS[import_id],
        tenant=dice.pick(TENANTS),
        client_id=f"client-of-{import_id}",
        bulk=BULKS.get(import_id),
        name=dice.pick(NAMES),
    )


def told_import(dice: Dice, import_id: str) -> dict[str, Any]:
    status = dice.pick(STATUSES)
    return run(
        import_id,
        status,
        requested_at=IMPORTS[import_id],
        bulk=BULKS.get(import_id),
        reason="forbidden" if status == "failed" else None,
        waiting=dice.pick([None, "quota_day"]) if status == "fetching" else None,
        staged=dice.pick(range(4)),
        pending=dice.pick(range(3)),
    )


def an_outcome(dice: Dice, offset: int, swap: int) -> Input:
    some = dice.some(sorted(IMPORTS), leave_out_one_in=2) or ["import-0"]
    return outcome(
        offset,
        *[told_import(dice, import_id) for import_id in some],
        at=NOON + (60 + dice.pick(range(20))) * SECOND,
        swap=swap,
        tenant=dice.pick(TENANTS),
        client_id=dice.pick([f"client-of-{some[0]}", None]),
        name=dice.pick(NAMES),
    )


def outcomes(dice: Dice) -> Iterator[Input]:
    """Versions that grow, repeat, come too late, and now and then stem from a swap."""
    told: list[Input] = []
    offset, swap = 10, 0
    for _ in range(dice.pick(range(20))):
        step = dice.pick(["next", "next", "next", "again", "swap", "earlier"])
        if step == "again" and told:
            told.append(dice.pick(told))
            continue
        offset += step == "next"
        swap += step == "swap"
        told.append(an_outcome(dice, offset - (step == "earlier"), swap))
    yield from told


def logs() -> st.SearchStrategy[Logs]:
    """Two logs of up to some dozen records."""
    return st.builds(
        lambda asked, told: Logs(
            [a_request(asked) for _ in range(asked.pick(range(10)))], list(outcomes(told))
        ),
        st.builds(Dice, st.binary(min_size=50, max_size=50)),
        st.builds(Dice, st.binary(min_size=400, max_size=400)),
    )


def throws() -> st.SearchStrategy[Dice]:
    """Dice that decide how logs are delivered."""
    return st.builds(Dice, st.binary(min_size=100, max_size=100))


def deliveries(dice: Dice, given: Logs) -> Iterator[Delivered]:
    """Batches until both logs are read to their ends; at times a log is read again from an earlier place."""
    logs = (given.requests, given.outcomes)
    positions = [0, 0]
    while unread := [which for which in (0, 1) if positions[which] < len(logs[which])]:
        batch: Delivered = []
        for _ in range(1 + dice.pick(range(6))):
            which = dice.pick(unread)
            until = min(positions[which] + 1 + dice.pick(range(4)), len(logs[which]))
            batch += list(enumerate(logs[which]))[positions[which] : until]
            positions[which] = until
        yield batch
        if dice.one_in(4):
            which = dice.pick((0, 1))
            positions[which] = dice.pick(range(positions[which] + 1))
