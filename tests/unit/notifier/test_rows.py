"""Single rows: what each kind of input makes of them, and what is shown."""

import re
from pathlib import Path
from typing import get_args

import pytest

from schemas.fields import milliseconds
from schemas.imports import FailureReason, WaitReason
from schemas.progress import IntegrationProgressed, Status
from services.notifier.domain import bulks, sentences
from services.notifier.domain.ledger import Changed, Ledger, touched
from services.notifier.domain.rows import VISIBLE_MS, Key, Row, is_visible
from services.notifier.domain.snapshots import snapshot
from tests.support.watching.story import (
    NOON,
    Input,
    client_added,
    connection,
    outcome,
    request,
    run,
)

SECOND = 1000


def told(*inputs: Input, now: int = NOON) -> list[IntegrationProgressed]:
    """What is told of the inputs, each a batch of its own."""
    rows: dict[Key, Row] = {}
    heard: list[Changed] = []
    for offset, each in enumerate(inputs):
        ledger = Ledger([rows[key] for key in touched(each.event) if key in rows], now)
        ledger.read(each.event, each.source(offset))
        changes = ledger.changes()
        rows |= {change.row.key: change.row for change in changes}
        heard += changes
    shown = [
        (snapshot(change.row), change.cause) for change in heard
    ]  # an unseen change is stored as shown too
    return [row for row, cause in shown if cause]


def test_72_hours_end_at_the_instant() -> None:
    """A row is visible up to, and not at, 72 hours after its request."""
    assert is_visible(NOON, NOON + VISIBLE_MS - 1)
    assert not is_visible(NOON, NOON + VISIBLE_MS)


def test_an_input_at_the_edge_makes_no_row() -> None:
    """What would be over when it is made is not made."""
    assert told(request("i1"), now=NOON + VISIBLE_MS) == []
    assert len(told(request("i1"), now=NOON + VISIBLE_MS - 1)) == 1


@pytest.mark.parametrize(
    ("state", "status", "reason"),
    [
        ("connected", "completed", None),
        ("disconnected", "completed", None),
        ("reconnect_required", "failed", "reconnect_required"),
    ],
)
def test_a_change_of_the_connection_is_a_row(state: str, status: str, reason: str | None) -> None:
    """Its id is the journal record's, and its 72 hours count from that."""
    (row,) = told(connection(7, state, at=NOON - SECOND, record_id="r7"))

    assert (row.kind, row.row_id, row.connection, row.status, row.reason) == (
        "connection",
        "r7",
        state,
        status,
        reason,
    )
    assert milliseconds(row.requested_at) == milliseconds(row.moved_at) == NOON - SECOND
    assert row.requested_by == "Ann"
    assert row.personal is not None
    assert row.personal.practice_name == "Birch & Co"
    assert (row.what_to_do is None) == (status == "completed")


def test_a_client_added_from_xpm_is_a_row() -> None:
    """It names the client and who added it."""
    (row,) = told(client_added(7, record_id="r7"))

    assert (row.kind, row.row_id, row.status, row.client_id) == ("client_added", "r7", "completed", "client")
    assert row.personal is not None
    assert (row.personal.client_name, row.requested_by) == ("Oak Pty Ltd", "Ann")


@pytest.mark.parametrize(
    "other",
    [
        client_added(7, created=False),
        client_added(7, xpm_client=None),
        client_added(7, client=None, result="rejected", reason="name_required", message="No name."),
        client_added(7, part=1, parts=2),
    ],
)
def test_other_news_of_clients_make_no_row(other: Input) -> None:
    """An amendment, a client that is only in the portal, a refusal, and a further part of an outcome."""
    assert told(other) == []


def test_the_same_outcome_again_changes_nothing() -> None:
    """Neither a connection nor a client is told twice."""
    inputs = [connection(7, "connected"), client_added(8)]

    assert len(told(*inputs, *inputs)) == 2


def test_what_a_swap_tells_again_is_no_news() -> None:
    """After the loss of a database the last 72 hours come once more, under the number of another swap."""
    first = [connection(7, "connected", record_id="r7"), client_added(8, record_id="r8")]
    again = [connection(7, "connected", record_id="r7", swap=1), client_added(8, record_id="r8", swap=1)]

    assert len(told(*first, *again)) == 2


def test_a_swap_may_find_that_a_client_was_refused() -> None:
    """The row that was shown says so from then on; one that was never shown is not made for it."""
    refused = client_added(
        7, record_id="r7", swap=1, client=None, result="rejected", reason="xpm_client_taken", message="Taken."
    )
    _, row = told(client_added(7, record_id="r7"), refused)

    assert (row.status, row.reason, row.message) == ("failed", "xpm_client_taken", "Taken.")
    assert row.what_to_do == sentences.FAILED["xpm_client_taken"]
    assert told(refused) == []


def test_only_a_swap_takes_a_row_back() -> None:
    """What ended stays ended under the same generation; the next may see it otherwise."""
    heard = told(
        outcome(5, run("i1", "completed", imported=2)),
        outcome(6, run("i1", "in_review", pending=1)),
        outcome(6, run("i1", "in_review", pending=1, imported=1), swap=1),
        outcome(7, run("i1", "ready_for_review", pending=2), swap=1),
    )

    assert [(row.status, row.counts.imported) for row in heard] == [("completed", 2), ("in_review", 1)]


def test_what_is_to_be_reviewed_is_said() -> None:
    """From ready_for_review on, as long as anything is pending; while fetching there is nothing to decide yet."""
    heard = told(
        outcome(5, run("i1", "fetching", pending=2)),
        outcome(6, run("i1", "ready_for_review", pending=2)),
        outcome(7, run("i1", "in_review", pending=1)),
        outcome(8, run("i1", "in_review", imported=2)),
    )

    assert [row.to_review for row in heard] == [False, True, True, False]
    assert [row.what_to_do for row in heard] == [None, sentences.REVIEW, sentences.REVIEW, None]


def test_an_import_that_waits_says_until_when_and_why() -> None:
    """And that nobody needs to do anything about it."""
    heard = told(
        request("i1"),
        outcome(5, run("i1", "fetching", waiting="quota_day")),
        outcome(6, run("i1", "fetching")),
    )

    assert [row.waiting.why if row.waiting else None for row in heard] == [None, "quota_day", None]
    assert [row.what_to_do for row in heard] == [
        sentences.BY_STATUS["queued"],
        sentences.WAITING["quota_day"],
        None,
    ]


def test_every_reason_has_a_sentence() -> None:
    """Whatever may stand in a row's reason says what to do; another reason, of a later release, gets a sentence too."""
    rules = Path(__file__).parents[3] / "docs" / "rules.md"
    added = re.search(r"\*\*`ClientAdded`\*\* \((.*)\)", rules.read_text(encoding="utf-8"))
    assert added is not None
    of_imports = {*get_args(FailureReason), "client_not_found", "xpm_client_mismatch"}
    of_clients = {*re.findall(r"`(\w+)`", added[1]), "id_reused", "resolver_failed"}

    assert of_imports | of_clients <= sentences.FAILED.keys()
    assert set(get_args(WaitReason)) <= sentences.WAITING.keys()
    assert all(
        len(told(outcome(5, run("i1", "failed", reason=reason)))[0].what_to_do or "") for reason in of_imports
    )
    assert told(outcome(5, run("i1", "failed", reason="new_one")))[0].what_to_do == sentences.FAILED_OTHERWISE


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        (["completed", "queued", "in_review"], "queued"),
        (["completed", "fetching", "ready_for_review"], "fetching"),
        (["in_review", "ready_for_review", "failed"], "ready_for_review"),
        (["in_review", "completed"], "in_review"),
        (["completed", "failed", "superseded"], "completed"),
        (["superseded", "failed"], "failed"),
        (["superseded", "superseded"], "superseded"),
    ],
)
def test_a_bulk_is_as_far_as_the_least_advanced_of_its_imports(
    statuses: list[Status], status: Status
) -> None:
    """Ended ones count only once all have ended."""
    inputs = [
        request(f"i{number}", bulk="b")
        if each == "queued"
        else outcome(number, run(f"i{number}", each, bulk="b"))
        for number, each in enumerate(statuses)
    ]
    last = [row for row in told(*inputs) if row.kind == "bulk_import"][-1]

    assert last.status == status
    assert last.bulk is not None
    assert last.bulk.total == len(statuses)


def test_a_bulk_with_a_failure_and_nothing_to_review_points_to_it() -> None:
    """What can be reviewed comes first."""
    failed = outcome(5, run("i1", "failed", reason="forbidden", bulk="b"))
    ready = outcome(6, run("i2", "ready_for_review", pending=1, bulk="b"))
    heard = [row.what_to_do for row in told(failed, ready) if row.kind == "bulk_import"]

    assert heard == [sentences.SOME_FAILED, sentences.REVIEW]


def test_numbers_stay_within_what_the_wire_takes() -> None:
    """Made-up counts do not break the row of their bulk."""
    heard = told(
        *(outcome(5 + each, run(f"i{each}", "failed", left_out=2**31 - 1, bulk="b")) for each in range(2))
    )

    assert heard[-1].counts.left_out <= bulks.LARGEST_COUNT


def test_a_bulk_that_comes_out_as_it_was_is_not_told() -> None:
    """What one of its imports adds and another takes away in the same moment, nobody could see."""
    first = outcome(1, run("i1", "fetching", bulk="b"), run("i2", "ready_for_review", bulk="b"))
    crosswise = outcome(2, run("i1", "ready_for_review", bulk="b"), run("i2", "fetching", bulk="b"), swap=1)

    heard = told(first, crosswise)

    assert [each.kind for each in heard].count("bulk_import") == 1
    assert [each.status for each in heard if each.kind == "import"][-2:] == ["ready_for_review", "fetching"]
