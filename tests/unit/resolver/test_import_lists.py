"""The rules of `ImportStaged`: what a list does to the import, to items, and to earlier imports."""

from tests.support.resolving.story import Story


def test_the_list_is_a_set(story: Story) -> None:
    """1. The import has its list; repetitions count once; what was left out is one number."""
    story.add_client()
    run = story.start("i1")
    run.item("p1-Director")
    run.item("p2-Spouse")
    run.stage_list("p2-Spouse", "p1-Director", "p2-Spouse", ended=1, party_deleted=2, unreadable=4)

    row = story.imported("i1")
    assert row["item_ids"] == sorted(story.item_id(tie) for tie in ("p1-Director", "p2-Spouse"))
    assert (row["status"], row["counts"]["left_out"], row["unstaged"]) == ("ready_for_review", 7, 0)


def test_a_decision_before_the_list_makes_it_a_review(story: Story) -> None:
    """1. `in_review` if a decision was applied to an item that the import held before."""
    story.add_client()
    run = story.start("i1")
    run.item("p1-Director")
    run.item("p2-Spouse")
    story.ignore("p1-Director")
    assert (story.imported("i1")["status"], story.imported("i1")["reviewed"]) == ("fetching", True)

    run.stage_list("p1-Director", "p2-Spouse")
    assert story.imported("i1")["status"] == "in_review"


def test_a_decision_on_another_imports_item_is_no_review(story: Story) -> None:
    """1. An item that the import does not hold yet does not count."""
    story.add_client()
    story.run_import("i1", "p1-Director", "p2-Spouse")
    run = story.start("i2")
    run.item("p2-Spouse")
    story.ignore("p1-Director")
    run.stage_list("p1-Director", "p2-Spouse")

    assert story.imported("i2")["status"] == "ready_for_review"


def test_a_pending_item_that_is_not_listed_is_withdrawn(story: Story) -> None:
    """2. Pending, not in the list, staged by an earlier import: `withdrawn` with `not_in_xpm`."""
    story.add_client()
    story.run_import("i1", "p1-Director", "p2-Spouse")
    story.run_import("i2", "p2-Spouse")

    item = story.item("p1-Director")
    assert (item["state"], item["reason"]) == ("withdrawn", "not_in_xpm")
    assert story.item("p2-Spouse")["state"] == "pending"


def test_a_listed_item_stays_though_nobody_staged_it_again(story: Story) -> None:
    """2. What is in the list is not withdrawn, staged again or not."""
    story.add_client()
    story.run_import("i1", "p1-Director")
    story.start("i2").stage_list("p1-Director")

    assert story.item("p1-Director")["state"] == "pending"
    assert story.imported("i2")["unstaged"] == 1


def test_a_decided_item_that_is_not_listed_is_no_longer_in_xpm(story: Story) -> None:
    """2. Imported, linked, attached or ignored: marked *no longer in XPM*, with its state; not if withdrawn."""
    story.add_client()
    story.record_member("m1", name="Ann")
    ties = ("p1-Director", "p1-Trustee", "p2-Spouse", "p3-Spouse", "p4-Spouse")
    story.run_import("i1", *ties)
    story.import_item("p1-Director")
    story.link("p2-Spouse", "m1")
    story.ignore("p3-Spouse")
    story.run_import("i2")
    story.run_import("i3")

    found = [(story.item(tie)["state"], story.item(tie)["in_xpm"]) for tie in ties]
    assert found == [
        ("imported", False),
        ("attached", False),
        ("linked", False),
        ("ignored", False),
        ("withdrawn", True),
    ]


def test_items_of_a_later_import_are_not_touched_by_an_earlier_list(story: Story) -> None:
    """2. An item that a later import staged is none of an earlier list's business; another client's neither."""
    story.add_client("c1")
    story.add_client("c2")
    story.run_import("i0", "p1-Director", client_id="c2")
    earlier, later = story.start("i1"), story.start("i2")
    later.item("p1-Director")
    earlier.stage_list()

    assert story.item("p1-Director")["state"] == "pending"
    assert story.item("p1-Director", "c2")["state"] == "pending"


def test_a_list_supersedes_open_imports_that_started_earlier(story: Story) -> None:
    """3. Open imports of the client with an earlier start become `superseded`; what ended stays as it ended."""
    story.add_client("c1")
    story.add_client("c2")
    story.run_import("done")
    story.start("failed").fail()
    story.run_import("ready", "p1-Director")
    story.start("fetching")
    story.start("elsewhere", "c2")
    run = story.start("i1")
    story.start("later")
    run.stage_list()

    names = ("done", "failed", "ready", "fetching", "elsewhere", "i1", "later")
    assert [story.imported(name)["status"] for name in names] == [
        "completed",
        "failed",
        "superseded",
        "superseded",
        "fetching",
        "completed",
        "fetching",
    ]
    assert story.client()["staged_from"] == run.at
