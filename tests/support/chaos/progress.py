"""What the notifier made of requests and outcomes, in its tables and on its topic."""

from collections.abc import Mapping
from typing import Any

import orjson

from schemas.codec import decode
from schemas.fields import milliseconds
from schemas.outcomes import OutcomeRecorded
from schemas.topics import OUTCOMES, PROGRESS, REQUESTS
from tests.support.chaos.evidence import Evidence
from tests.support.chaos.imports import first_requests, readable
from tests.support.model.records import Row
from tests.support.watching.model import RowKey, final_rows
from tests.support.watching.story import Input

SAID = ("requested_by", "client_id", "bulk_id", "waiting", "reason", "message")


def check_the_notifier(evidence: Evidence, partitions: int) -> None:
    """The rows are what requests and outcomes come to, and the topic tells every row as it is in the end."""
    stored = {
        (row["tenant_id"], row["kind"], row["row_id"]): orjson.loads(row["shown"])
        for row in evidence.progress
    }
    the_rows_are_recomputed(evidence, partitions, stored)
    actions_have_rows(evidence, stored)
    the_topic_tells_the_rows(evidence, stored)
    every_snapshot_is_out(evidence)


def the_rows_are_recomputed(evidence: Evidence, partitions: int, stored: Mapping[RowKey, Row]) -> None:
    asked = [
        Input(REQUESTS, each.record.timestamp, each.record.value)
        for each in first_requests(evidence, partitions).values()
    ]
    told = [
        Input(OUTCOMES, each.record.timestamp, each.record.value) for each in readable(evidence, OUTCOMES)
    ]
    expected = final_rows(asked, told)
    imports = {key: row for key, row in stored.items() if key[1] in ("import", "bulk_import")}
    assert imports.keys() == expected.keys()
    for key, row in imports.items():
        wanted = expected[key]
        assert (row["status"], row["counts"]) == (wanted["status"], wanted["counts"]), key
        assert milliseconds(row["moved_at"]) == wanted["moved_at"], key
        assert row.get("bulk") == wanted.get("imports"), key
        if key[1] == "import":
            assert milliseconds(row["requested_at"]) == wanted["requested_at"], key
            assert {name: row.get(name) for name in SAID} == {name: wanted[name] for name in SAID}, key
            assert row.get("personal", {}).get("client_name") == wanted["client_name"], key


def actions_have_rows(evidence: Evidence, stored: Mapping[RowKey, Row]) -> None:
    """Each connection that was changed and each client that was added from XPM has a row, and nothing else has."""
    expected: dict[RowKey, str] = {}
    for each in readable(evidence, OUTCOMES):
        outcome = each.event.data
        assert isinstance(outcome, OutcomeRecorded)
        if outcome.result == "applied" and outcome.record is not None:
            kind, status = action_of(outcome)
            if kind:
                expected[each.event.tenant_id, kind, outcome.record.id] = status
    found = {key: row["status"] for key, row in stored.items() if key[1] in ("connection", "client_added")}
    assert found == expected


def action_of(outcome: OutcomeRecorded) -> tuple[str, str]:
    if outcome.connection:
        return "connection", "failed" if outcome.connection.state == "reconnect_required" else "completed"
    if outcome.client and outcome.client.created and outcome.client.xpm_client_id:
        return "client_added", "completed"
    return "", ""


def the_topic_tells_the_rows(evidence: Evidence, stored: Mapping[RowKey, Row]) -> None:
    """One content for each id, one id for each version of a row, and the highest version is the row."""
    contents: dict[tuple[str, str], bytes] = {}
    versions: dict[tuple[RowKey, int], str] = {}
    highest: dict[RowKey, Row] = {}
    for record in evidence.records[PROGRESS]:
        event = decode(record.value, PROGRESS)
        assert record.key == event.tenant_id.encode()
        assert contents.setdefault((event.tenant_id, event.id), record.value) == record.value
        shown: Any = orjson.loads(record.value)["data"]
        key = (event.tenant_id, shown["kind"], shown["row_id"])
        assert versions.setdefault((key, shown["version"]), event.id) == event.id
        if shown["version"] >= highest.get(key, shown)["version"]:
            highest[key] = shown
    assert highest == stored


def every_snapshot_is_out(evidence: Evidence) -> None:
    """What was published is what is stored, byte for byte; the same again at most."""
    assert set(evidence.snapshots) == {record.value for record in evidence.records[PROGRESS]}
    assert len(evidence.snapshots) == len(set(evidence.snapshots))
