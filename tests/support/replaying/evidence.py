"""What there is when everything has come to rest, held against the independent model and against what was told."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.structs import ConsumerRecord

from schemas.codec import Event, decode
from schemas.topics import JOURNAL, OUTCOMES, PROGRESS, REQUESTS
from tests.support.chaos.journal import entry_of
from tests.support.journals.entries import Entry
from tests.support.logs import read_back
from tests.support.model.fold import Model, Tables
from tests.support.model.records import Row
from tests.support.replaying.place import PARTITIONS, Place
from tests.support.resolving.core import Told
from tests.support.resolving.loop import Loop
from tests.support.resolving.outcomes import assert_told
from tests.support.watching.model import final_rows
from tests.support.watching.story import Input

MOST_SWAPS = 5
TOLD = {
    "items": ("item_id", "import_id", "xpm_party_id", "state", "digest", "reason", "member_id"),
    "imports": ("import_id", "status", "requested_by", "bulk_id", "reason", "counts"),
    "members": ("member_id", "digest", "co_owner", "removed"),
}
"""What names a row, and what an outcome tells of it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The journal and what was published, in the order of the logs; the live tables in the model's shape."""

    entries: Sequence[Entry]
    outcomes: Sequence[bytes]
    progress: Sequence[ConsumerRecord]
    told_at: Mapping[bytes, int]
    tables: Tables
    told: Mapping[tuple[int, int], Told]
    stored: frozenset[bytes]
    shown: Sequence[Row]
    snapshots: frozenset[bytes]


async def gather(place: Place) -> Evidence:
    """Read everything back."""
    journal, outcomes, progress, _ = await read_back(place.settings, JOURNAL, OUTCOMES, PROGRESS, REQUESTS)
    schema = await place.live()
    async with place.database() as database:
        loop = Loop(database, (), schema=schema)
        decisions = await loop.decisions()
        shown = await database.fetch("SELECT * FROM notifier.progress")
        snapshots = await database.fetch("SELECT event FROM notifier.snapshots")
        return Evidence(
            [entry_of(record, PARTITIONS) for record in journal],
            [record.value for record in outcomes],
            progress,
            {record.value: record.timestamp for record in outcomes},
            await loop.tables(),
            await loop.told(),
            frozenset(row["outcome"].encode() for row in decisions if row["outcome"] is not None),
            [dict(row) for row in shown],
            frozenset(row["event"].encode() for row in snapshots),
        )


def check_the_tables(evidence: Evidence) -> None:
    """The live tables, and what is stored as told of each record, are the model's."""
    model = Model(entry.record() for entry in evidence.entries)
    for name, rows in model.tables().items():
        assert evidence.tables[name] == rows, name
    for entry, answer in zip(evidence.entries, model.answers, strict=True):
        assert_told(entry, answer, evidence.told[entry.partition, entry.offset], range(MOST_SWAPS))


def check_what_was_told(evidence: Evidence) -> None:
    """Every stored outcome is out, no id has two contents, and whoever keeps the highest versions knows the tables."""
    assert evidence.stored - set(evidence.outcomes) == set()
    no_id_has_two_contents(evidence.outcomes)
    followed = follow(evidence.outcomes)
    for table, (name, *said) in TOLD.items():
        for row in evidence.tables[table]:
            told = followed[table, row["tenant_id"], row[name]]
            assert {each: row[each] for each in said} == {each: told[each] for each in said}, (
                table,
                row[name],
            )


def check_progress(evidence: Evidence) -> None:
    """The notifier's rows of imports are what the outcomes come to in the end, and the topic tells them."""
    told = [Input(OUTCOMES, evidence.told_at[value], value) for value in evidence.outcomes]
    expected = final_rows([], told)
    stored = {
        (row["tenant_id"], row["kind"], row["row_id"]): json.loads(row["shown"]) for row in evidence.shown
    }
    imports = {key: row for key, row in stored.items() if key[1] in ("import", "bulk_import")}
    assert imports.keys() == expected.keys()
    for key, row in imports.items():
        assert (row["status"], row["counts"]) == (expected[key]["status"], expected[key]["counts"]), key
    published = [record.value for record in evidence.progress]
    no_id_has_two_contents(published)
    assert evidence.snapshots - set(published) == set()
    assert highest(published) == stored


def check_progress_is_the_tables(evidence: Evidence) -> None:
    """Each import's row says what the resolver's table says."""
    stored = {(row["tenant_id"], row["row_id"]): json.loads(row["shown"]) for row in evidence.shown}
    for run in evidence.tables["imports"]:
        shown = stored[run["tenant_id"], run["import_id"]]
        assert (shown["status"], shown["counts"]) == (run["status"], run["counts"]), run["import_id"]


def no_id_has_two_contents(values: Sequence[bytes]) -> None:
    contents: dict[tuple[str, str], bytes] = {}
    for value in values:
        document = json.loads(value)
        assert contents.setdefault((document["tenantid"], document["id"]), value) == value


def follow(values: Sequence[bytes]) -> dict[tuple[str, str, str], Row]:
    """What a reader knows that keeps the highest version of each item, import and member."""
    known: dict[tuple[str, str, str], tuple[tuple[int, int], Row]] = {}
    for value in values:
        event: Event[Any] = decode(value, OUTCOMES)
        data = event.data.model_dump()
        version = (data["version"]["offset"], data["version"]["swap"])
        for table, (name, *_) in TOLD.items():
            for each in data[table]:
                key = (table, event.tenant_id, each[name])
                if key not in known or version >= known[key][0]:
                    known[key] = version, each
    return {key: row for key, (_, row) in known.items()}


def highest(values: Sequence[bytes]) -> dict[tuple[str, str, str], Row]:
    """Of each row of progress the snapshot with the highest version."""
    found: dict[tuple[str, str, str], Row] = {}
    for value in values:
        document = json.loads(value)
        shown = document["data"]
        key = (document["tenantid"], shown["kind"], shown["row_id"])
        if key not in found or shown["version"] >= found[key]["version"]:
            found[key] = shown
    return found
