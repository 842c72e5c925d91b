"""The rules of the facts of imports, but for `ItemStaged` and what a list does."""

from datetime import UTC, datetime

import pytest

from tests.support.resolving.story import UNTIL, Reply, Run, Story

ENDED = "import_ended"


def publish(run: Run, fact: str) -> Reply:
    match fact:
        case "fail":
            return run.fail()
        case "entity":
            return run.entity()
        case "item":
            return run.item("p1-Director")
        case _:
            return run.stage_list()


def test_an_import_starts_where_its_start_lies(story: Story) -> None:
    """The start of an import is the offset of its first applied `ImportStarted`, with status `fetching`."""
    story.add_client()
    run = story.start("i1", bulk_id="b1")

    row = story.imported("i1")
    assert (row["started_from"], row["status"]) == (run.at, "fetching")
    assert (row["client_id"], row["requested_by"], row["bulk_id"]) == ("c1", "Sam", "b1")
    assert row["item_ids"] is row["waiting_until"] is row["reason"] is row["message"] is None
    assert (row["reviewed"], row["unstaged"]) == (False, 0)


def test_an_import_starts_once(story: Story) -> None:
    """A known `import_id`, under another event id or for another client: `import_already_started`."""
    story.add_client()
    first = story.start("i1")

    for client_id in ("c1", "c2"):
        again = story.start("i1", client_id)
        assert again.reply is not None
        assert again.reply.reason == "import_already_started"
    assert story.imported("i1")["started_from"] == first.at


def test_an_import_starts_for_an_unknown_client_too(story: Story) -> None:
    """Whether the client is known is seen when something is staged."""
    run = story.start("i1", "c9")

    assert run.reply is not None
    assert run.reply.result == "applied"


def test_a_fact_needs_its_start(story: Story) -> None:
    """No import of this id and client: `import_not_started`, for every kind of fact."""
    story.add_client("c1")
    story.add_client("c2")
    story.start("i1", "c2")

    for run in (Run(story, "i0", "c1"), Run(story, "i1", "c1")):
        for reply in (run.wait(), run.fail(), run.entity(), run.item("p1-Director"), run.stage_list()):
            assert (reply.result, reply.reason) == ("rejected", "import_not_started")


def test_a_fact_comes_too_late_after_a_later_import(story: Story) -> None:
    """Once a later-started import of the client has its list, facts of earlier ones are `superseded`."""
    story.add_client()
    earlier = story.start("i1")
    later = story.start("i2")
    assert earlier.item("p1-Director").result == "applied"
    later.stage_list()

    for reply in (
        earlier.wait(),
        earlier.fail(),
        earlier.entity(),
        earlier.item("p2-Spouse"),
        earlier.stage_list(),
    ):
        assert (reply.result, reply.reason) == ("rejected", "superseded")


def test_a_later_import_supersedes_with_its_list_not_with_its_start(story: Story) -> None:
    """An import is superseded when a later one reaches `ImportStaged`, not when it starts; and never by an earlier."""
    story.add_client("c1")
    story.add_client("c2")
    first, second = story.start("i1"), story.start("i2")
    story.start("i3", "c2").stage_list()
    first.stage_list()
    assert story.imported("i2")["status"] == "fetching"

    second.item("p1-Director")
    second.stage_list("p1-Director")
    third = story.start("i3a")
    third.item("p1-Director")
    assert story.imported("i2")["status"] == "ready_for_review"

    third.stage_list("p1-Director")
    assert [story.imported(it)["status"] for it in ("i1", "i2", "i3a")] == [
        "completed",
        "superseded",
        "ready_for_review",
    ]


def test_an_import_waits(story: Story) -> None:
    """`ImportWaiting`: the import waits until then; the next one replaces it."""
    story.add_client()
    run = story.start("i1")
    run.wait(until="2026-11-24T00:00:00.1239Z", why="quota_minute")

    row = story.imported("i1")
    assert (row["status"], row["waiting_why"]) == ("fetching", "quota_minute")
    assert row["waiting_until"] == datetime(2026, 11, 24, tzinfo=UTC).timestamp() * 1000 + 123

    run.wait(UNTIL, "quota_day")
    assert story.imported("i1")["waiting_why"] == "quota_day"


@pytest.mark.parametrize("fact", ["fail", "entity", "item", "list"])
def test_any_later_fact_ends_the_wait(story: Story, fact: str) -> None:
    """Any later applied fact of the import ends the wait."""
    story.add_client()
    run = story.start("i1")
    run.wait()
    assert publish(run, fact).result == "applied"

    row = story.imported("i1")
    assert row["waiting_until"] is row["waiting_why"] is None


def test_a_refused_fact_does_not_end_the_wait(story: Story) -> None:
    """Only an applied fact ends the wait; a decision does not either."""
    story.add_client()
    run = story.start("i1")
    run.item("p1-Director")
    run.wait()
    run.item("p1-Director")
    story.ignore("p1-Director")

    assert story.imported("i1")["waiting_why"] == "quota_day"


def test_what_ended_waits_no_longer(story: Story) -> None:
    """An import that fails by a refused fact, or is superseded, does not go on waiting."""
    story.add_client()
    failing, superseded, later = story.start("i1"), story.start("i2"), story.start("i3")
    failing.wait()
    superseded.wait()
    failing.entity(xpm_client_id="another")
    later.stage_list()

    assert [story.imported(it)["status"] for it in ("i1", "i2")] == ["failed", "superseded"]
    assert story.imported("i1")["waiting_until"] is story.imported("i2")["waiting_until"] is None


def test_an_import_fails(story: Story) -> None:
    """`ImportFailed`: status `failed` with its reason and message."""
    story.add_client()
    story.start("i1").fail("not_connected")

    row = story.imported("i1")
    assert (row["status"], row["reason"], row["message"]) == ("failed", "not_connected", "Connect first.")


def test_only_a_fetching_import_waits_or_fails(story: Story) -> None:
    """Of `ImportStaged` and `ImportFailed` the first counts: `import_ended` afterwards."""
    story.add_client()
    failed, listed = story.start("i1"), story.start("i2")
    failed.fail()
    assert (failed.wait().reason, failed.fail().reason) == (ENDED, ENDED)

    listed.item("p1-Director")
    listed.stage_list("p1-Director")
    assert (listed.wait().reason, listed.fail().reason) == (ENDED, ENDED)
    assert story.imported("i2")["status"] == "ready_for_review"


def test_nothing_is_staged_after_a_failure(story: Story) -> None:
    """Status `failed`: every staged fact is `import_ended`."""
    story.add_client()
    run = story.start("i1")
    run.fail()

    assert [run.entity().reason, run.item("p1-Director").reason, run.stage_list().reason] == [ENDED] * 3


def test_an_import_has_one_list(story: Story) -> None:
    """`ImportStaged` when the import has a list: `import_ended`, also when it is completed."""
    story.add_client()
    run = story.run_import("i1", "p1-Director")
    assert run.stage_list().reason == ENDED

    story.ignore("p1-Director")
    assert run.stage_list().reason == ENDED
    assert story.imported("i1")["item_ids"] == [story.item_id("p1-Director")]


@pytest.mark.parametrize("fact", ["entity", "item", "list"])
def test_staged_facts_of_an_unknown_client_fail_the_import(story: Story, fact: str) -> None:
    """Unknown client: `client_not_found`, and the open import becomes `failed` with that reason."""
    run = story.start("i1", "c9")

    assert publish(run, fact).reason == "client_not_found"
    row = story.imported("i1")
    assert (row["status"], row["reason"]) == ("failed", "client_not_found")
    assert row["message"]


@pytest.mark.parametrize("fact", ["entity", "item", "list"])
@pytest.mark.parametrize("xpm_client_id", ["x2", None])
def test_staged_facts_of_another_xpm_client_fail_the_import(
    story: Story, fact: str, xpm_client_id: str | None
) -> None:
    """A client whose `xpm_client_id` differs, or that has none: `xpm_client_mismatch`, and the import fails."""
    story.add_client(xpm_client_id=xpm_client_id)
    run = story.start("i1")

    assert publish(run, fact).reason == "xpm_client_mismatch"
    row = story.imported("i1")
    assert (row["status"], row["reason"]) == ("failed", "xpm_client_mismatch")
    assert row["message"]
    assert story.rows("items") == []


def test_an_import_with_a_list_fails_likewise(story: Story) -> None:
    """An import that is ready for review is open too."""
    story.add_client()
    run = story.run_import("i1", "p1-Director")
    run.entity(xpm_client_id="another")

    assert story.imported("i1")["status"] == "failed"


def test_a_completed_import_does_not_fail_anymore(story: Story) -> None:
    """Only an open import becomes `failed`; what is completed stays so."""
    story.add_client()
    run = story.run_import("i1")
    assert story.imported("i1")["status"] == "completed"

    assert run.entity(xpm_client_id="another").reason == "xpm_client_mismatch"
    assert story.imported("i1")["status"] == "completed"


def test_a_completed_import_still_tells_details(story: Story) -> None:
    """Only `failed` ends staged facts: late details of a completed import are applied, and counted nowhere."""
    story.add_client()
    run = story.run_import("i1")
    before = story.counts("i1")

    assert run.entity(name="Acme Ltd").result == "applied"
    assert run.item("p1-Director").result == "applied"
    assert story.item("p1-Director")["state"] == "pending"
    assert story.counts("i1") == before


def test_the_clients_own_details_are_xpms(story: Story) -> None:
    """`EntityStaged`: each field with a value replaces the client's, provenance `xpm`; others stay."""
    story.add_client(name="Acme", phone="1", title="Ms", account_email="ann@a.example")
    run = story.start("i1")
    reply = run.entity(name="Acme Ltd", phone="1", website="acme.example", email="info@a.example", title=None)

    client = story.client()
    assert client["details"] == {
        "name": "Acme Ltd",
        "phone": "1",
        "title": "Ms",
        "website": "acme.example",
        "email": "info@a.example",
    }
    assert client["provenance"] == {name: {"by": "xpm"} for name in client["details"]} | {
        "title": {"by": "portal"}
    }
    assert client["account_email"] == "ann@a.example"
    assert client["details_from"] == run.at
    assert reply.replaced == {("client", "c1", "name", "Acme", "Acme Ltd")}


def test_an_email_of_the_client_need_not_be_one_in_xpm(story: Story) -> None:
    """What XPM has is taken as it is."""
    story.add_client()

    assert story.start("i1").entity(email="nobody").result == "applied"
    assert story.client()["details"]["email"] == "nobody"


def test_older_details_of_a_client_are_not_taken(story: Story) -> None:
    """Details are never taken from an earlier-started import than the last that gave some: `older_details`."""
    story.add_client()
    earlier, later = story.start("i1"), story.start("i2")
    later.entity(name="Later")

    assert earlier.entity(name="Earlier").reason == "older_details"
    assert later.entity(name="Latest").result == "applied"
    assert story.client()["details"]["name"] == "Latest"
    assert story.imported("i1")["status"] == "fetching"
