"""Every file that is made from the contract, with the text that it should have."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.publishing import asyncapi
from schemas.publishing.history import History, as_text
from schemas.publishing.records import record_schema
from schemas.publishing.tables import renewed
from schemas.topics import EVENT_TYPES

PROJECT = Path(__file__).resolve().parents[2]
PUBLISHED = PROJECT / "schemas" / "published"
EXAMPLES = PROJECT / "schemas" / "examples"
PAGES = (PROJECT / "README.md", PROJECT / "docs" / "events.md")


def schemas() -> dict[str, dict[str, Any]]:
    """The present schema of each type of event."""
    return {name: record_schema(event) for name, event in EVENT_TYPES.items()}


def examples() -> dict[str, Any]:
    """A record for each type of event; together they tell of one import."""
    return {name: json.loads((EXAMPLES / f"{name}.json").read_text("utf-8")) for name in EVENT_TYPES}


def history() -> History:
    """What was published so far."""
    return History(PUBLISHED / "history")


def texts() -> dict[Path, str]:
    """The text of each file, as it has to be checked in."""
    told = examples()
    described = {PUBLISHED / f"{name}.json": as_text(schema) for name, schema in schemas().items()}
    described[PUBLISHED / "asyncapi.json"] = as_text(asyncapi.document(_version(), told))
    pages = {page: renewed(page.read_text("utf-8"), told) for page in PAGES}
    return described | pages


def stale(wanted: Mapping[Path, str]) -> list[Path]:
    """The files that are not as wanted, and those that lie there of types that are no more."""
    differing = [
        file for file, text in wanted.items() if not file.exists() or file.read_text("utf-8") != text
    ]
    return [*differing, *sorted(set(PUBLISHED.glob("*.json")) - wanted.keys())]


def write() -> list[Path]:
    """Bring the files up to date, and return those that were not."""
    wanted = texts()
    changed = stale(wanted)
    for file in changed:
        if file in wanted:
            file.write_text(wanted[file], "utf-8")
        else:
            file.unlink()
    return changed


def _version() -> str:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
    return str(project["project"]["version"])
