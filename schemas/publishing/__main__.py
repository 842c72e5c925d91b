"""`python -m schemas.publishing`: write what is made from the contract; see the package for the options."""

import sys
from argparse import ArgumentParser
from pathlib import Path

from schemas import publishing
from schemas.publishing import documents


def write() -> list[str]:
    """Bring every file up to date; tells which were not."""
    return [f"wrote {_name(file)}" for file in documents.write()]


def check() -> list[str]:
    """Tells what has to be mended before the contract may be merged."""
    history = documents.history()
    broken = history.broken_promises(documents.schemas())
    return [
        *(f"{_name(file)} is stale: make generate" for file in documents.stale(documents.texts())),
        *history.damage(),
        *(f"{which} is no longer read as it was published: {each}" for which, each in broken),
    ]


def release() -> list[str]:
    """Keep the present schemas for ever; tells which are new."""
    return [f"published {_name(file)}" for file in documents.history().release(documents.schemas())]


def main() -> int:
    """Run the command line, and return its exit code."""
    parser = ArgumentParser(prog="python -m schemas.publishing", description=publishing.__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--check", action="store_true", help="write nothing; fail if anything is stale or broken"
    )
    what.add_argument("--release", action="store_true", help="keep the present schemas for ever")
    options = parser.parse_args()
    told = (check if options.check else release if options.release else write)()
    sys.stdout.write("".join(f"{line}\n" for line in told))
    return 1 if options.check and told else 0


def _name(file: Path) -> str:
    return file.relative_to(documents.PROJECT).as_posix()


if __name__ == "__main__":
    sys.exit(main())
