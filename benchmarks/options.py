"""How much is measured: enough for sound medians within half an hour, or just enough to see that every part runs."""

import argparse
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True)
class Options:
    """Every number that decides how long a part takes."""

    runs: int = 5
    """Of each contender, in turns."""
    records: int = 200_000
    """Of the journal that everybody works off."""
    tenants: int = 500
    tutorial_records: int = 2_000
    """For who commits one record at a time."""
    faust_records: int = 30_000
    rows: int = 200_000
    """That each ceiling is measured with."""
    commands_per_second: int = 200
    slices: int = 10
    """Of the raw floor and of the services, in turns."""
    slice_seconds: int = 30
    few_items: int = 100_000
    many_items: int = 10_000_000
    grown_records: int = 60_000
    """Worked off with so few and so many items there."""
    idle_seconds: int = 60
    imports: int = 1_000
    lost_records: int = 1_000_000
    """Of the journal that brings a lost database back."""


QUICK = Options(
    runs=1,
    records=4_000,
    tenants=50,
    tutorial_records=50,
    faust_records=500,
    rows=3_000,
    commands_per_second=50,
    slices=1,
    slice_seconds=3,
    few_items=500,
    many_items=1_000,
    grown_records=600,
    idle_seconds=2,
    imports=20,
    lost_records=2_000,
)


def parsed(arguments: argparse.Namespace) -> Options:
    """What was asked for."""
    given = {each.name: getattr(arguments, each.name) for each in fields(Options)}
    return replace(
        QUICK if arguments.quick else Options(),
        **{name: value for name, value in given.items() if value is not None},
    )


def parser(description: str | None) -> argparse.ArgumentParser:
    """Takes every option, and --quick."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--quick", action="store_true", help="only show that it runs")
    for each in fields(Options):
        name = f"--{each.name.replace('_', '-')}"
        made.add_argument(name, type=int, help=f"default {each.default:,}")
    return made
