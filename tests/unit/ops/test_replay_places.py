"""`--until`: a time or an offset becomes the end of each partition that is folded."""

import pytest
from typer.testing import CliRunner

from ops.cli import command_line
from ops.ending import Exit, Misused
from ops.replay_places import places
from ops.times import milliseconds, required_time
from schemas.topics import JOURNAL
from worker.positions import Log
from worker.routing import partition_of

ENDS = {0: 40, 1: 1200, 2: 0}
TENANT = "harbour"
HOME = partition_of(TENANT.encode(), len(ENDS))


class Journal:
    """A journal of three partitions, in which a time is found as `firsts` says."""

    def __init__(self, firsts: dict[int, int | None] | None = None) -> None:
        self._firsts = firsts or dict.fromkeys(ENDS)
        self.asked: list[int] = []

    async def logs(self) -> dict[tuple[str, int], Log]:
        return {(JOURNAL.name, number): Log(JOURNAL, 0, end) for number, end in ENDS.items()}

    async def offsets_at(self, moment: int) -> dict[int, int | None]:
        self.asked.append(moment)
        return self._firsts


async def test_a_time_ends_each_partition_at_its_first_record_that_is_not_older() -> None:
    """Where none is as young, the partition is folded to its end."""
    journal = Journal({0: 7, 1: None, 2: None})

    assert await places(journal, "2026-11-24T09:00:00Z", None) == {0: 7, 1: 1200, 2: 0}
    assert journal.asked == [milliseconds(required_time("2026-11-24T09:00:00Z", None))]


async def test_an_offset_of_a_partition_ends_that_one_alone() -> None:
    assert await places(Journal(), "1:1200", None) == {1: 1200}


async def test_an_offset_alone_is_one_of_the_tenants_partition() -> None:
    assert await places(Journal(), "0", TENANT) == {HOME: 0}
    assert await places(Journal(), f"{HOME}:0", TENANT) == {HOME: 0}


@pytest.mark.parametrize(
    ("until", "tenant", "said"),
    [
        ("12", None, "An offset belongs to one partition"),
        ("7:1", None, "The journal has partitions 0 to 2"),
        ("1:1201", None, "Partition 1 ends at offset 1200"),
        (f"{(HOME + 1) % 3}:0", TENANT, f"The records of {TENANT} are in partition {HOME}"),
        ("yesterday-ish", None, "yesterday-ish"),
    ],
)
async def test_what_makes_no_sense_is_refused(until: str, tenant: str | None, said: str) -> None:
    """With a sentence that says what would."""
    with pytest.raises(Misused, match=said):
        await places(Journal(), until, tenant)


@pytest.mark.parametrize(
    "words",
    [
        ("--until", "1:5", "--swap"),
        ("--tenant", TENANT, "--swap"),
        ("--tenant", TENANT, "--back"),
        ("--keep",),
        ("--back", "--anew"),
    ],
)
def test_options_that_contradict_each_other_are_refused(words: tuple[str, ...]) -> None:
    """Before anything is asked or done: nothing answers at these addresses."""
    nowhere = {"MUSTER_KAFKA": "127.0.0.1:1", "MUSTER_POSTGRES_DSN": "postgresql://127.0.0.1:1/nothing"}
    said = CliRunner().invoke(command_line("replay"), ["replay", *words], env=nowhere)

    assert said.exit_code == Exit.USAGE
