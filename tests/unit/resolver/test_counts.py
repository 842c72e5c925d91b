"""An import's numbers, and when it is completed."""

from tests.support.resolving.story import Story

STALE = {"item": "0" * 32}


def test_the_states_count_what_the_import_holds(story: Story) -> None:
    """Each state counts the items of the list by state; `staged` counts what the import staged."""
    story.add_client()
    story.record_member("m1", name="Ann")
    ties = ("p1-Director", "p1-Trustee", "p2-Spouse", "p3-Spouse", "p4-Spouse", "p5-Spouse")
    story.run_import("i1", *ties)
    story.import_item("p1-Director")
    story.link("p2-Spouse", "m1")
    story.ignore("p3-Spouse")

    counts = story.counts("i1")
    assert counts.pop("replaced_fields") == 1
    assert counts == {"staged": 6, "pending": 2, "imported": 1, "linked": 1, "ignored": 1, "attached": 1}


def test_before_the_list_an_import_holds_what_it_staged_last(story: Story) -> None:
    """Without a list: the items last staged by it. `staged` only grows."""
    story.add_client()
    first, second = story.start("i1"), story.start("i2")
    first.item("p1-Director")
    first.item("p2-Spouse")
    second.item("p1-Director")

    assert story.counts("i1") == {"staged": 2, "pending": 1}
    assert story.counts("i2") == {"staged": 1, "pending": 1}


def test_with_a_list_an_import_holds_the_list(story: Story) -> None:
    """With a list: the items of the list, whoever staged them last, and nothing else."""
    story.add_client()
    first = story.start("i1")
    first.item("p1-Director")
    first.item("p2-Spouse")
    first.stage_list("p1-Director")
    story.start("i2").item("p1-Director")

    assert story.counts("i1") == {"staged": 2, "pending": 1}
    assert story.item("p2-Spouse")["state"] == "pending"


def test_withdrawn_items_are_counted(story: Story) -> None:
    """Items of the list that are withdrawn count as such, and leave nothing to decide."""
    story.add_client()
    story.run_import("i1", "p1-Director", "p2-Spouse")
    story.ignore("p2-Spouse")
    story.amend_client(xpm_client_id=None)

    assert story.counts("i1") == {"staged": 2, "ignored": 1, "withdrawn": 1}
    assert story.imported("i1")["status"] == "completed"


def test_refused_decisions_are_counted(story: Story) -> None:
    """`rejected` grows for every open import that holds the item, with each rejected decision on a known item."""
    story.add_client()
    story.run_import("i1", "p1-Director", "p2-Spouse")
    story.start("i2").item("p1-Director")
    story.import_item("p1-Director", seen=STALE)
    story.link("p1-Director", "m9")
    story.ignore("p2-Spouse")
    story.ignore("p2-Spouse")
    story.ignore("p9-Spouse")

    assert (story.counts("i1")["rejected"], story.counts("i2")["rejected"]) == (3, 2)


def test_repeats_and_reused_ids_are_not_counted(story: Story) -> None:
    """A record whose id was claimed is not looked at, and counts nowhere."""
    story.add_client()
    story.run_import("i1", "p1-Director", "p2-Spouse")
    story.ignore("p1-Director")
    before = story.counts("i1")
    story.again(-1)
    story.again(-1, subject="another")

    assert story.counts("i1") == before


def test_replaced_fields_of_a_fact_count_for_its_import(story: Story) -> None:
    """`replaced_fields` grows with each replaced field of the import's own facts, the client's too."""
    story.add_client()
    story.run_import("i1", "p1-Director", "p2-Spouse", name="Ann", title="Ms")
    story.import_item("p1-Director")
    run = story.start("i2")
    run.entity(name="Acme Ltd")
    run.item("p1-Director", name="Anna", title="Dr")

    assert story.counts("i2")["replaced_fields"] == 3
    assert "replaced_fields" not in story.counts("i1")


def test_replaced_fields_of_a_link_count_where_the_item_is_held(story: Story) -> None:
    """Those of an `ItemLinked` count for every open import that holds the item."""
    story.add_client()
    story.record_member("m1", name="Ann", title="Mr")
    story.run_import("i1", "p1-Director", "p2-Spouse")
    story.start("i2").item("p1-Director", name="Anna", title="Ms")
    story.start("i3")
    story.link("p1-Director", "m1")

    assert (story.counts("i1")["replaced_fields"], story.counts("i2")["replaced_fields"]) == (2, 2)
    assert story.counts("i3") == {}


def test_an_import_is_completed_with_its_last_decision(story: Story) -> None:
    """Completed as soon as every item of the list was staged and none is pending; the numbers include the last."""
    story.add_client()
    story.run_import("i1", "p1-Director", "p2-Spouse")
    story.ignore("p1-Director")
    assert story.imported("i1")["status"] == "in_review"

    story.ignore("p2-Spouse")
    row = story.imported("i1")
    assert (row["status"], row["reviewed"]) == ("completed", True)
    assert story.counts("i1") == {"staged": 2, "ignored": 2}


def test_an_import_with_nothing_to_decide_is_completed_at_once(story: Story) -> None:
    """An empty list, or one of which everything was decided before."""
    story.add_client()
    story.run_import("i1")
    assert story.imported("i1")["status"] == "completed"

    story.run_import("i2", "p1-Director")
    story.import_item("p1-Director")
    story.run_import("i3", "p1-Director")
    assert story.imported("i3")["status"] == "completed"
    assert story.counts("i3") == {"staged": 1, "imported": 1}


def test_an_import_without_a_list_is_not_completed(story: Story) -> None:
    """Only with a list is it known that nothing else comes."""
    story.add_client()
    story.start("i1").item("p1-Director")
    story.ignore("p1-Director")

    assert story.imported("i1")["status"] == "fetching"


def test_an_import_is_not_completed_before_its_list_is_staged(story: Story) -> None:
    """Every item of the list has to be staged by it or a later one; a fact that comes late may complete it."""
    story.add_client()
    story.run_import("i0", "p1-Director")
    story.ignore("p1-Director")
    run = story.start("i1")
    run.item("p2-Spouse")
    run.stage_list("p1-Director", "p2-Spouse", "p3-Spouse")
    story.ignore("p2-Spouse")
    assert (story.imported("i1")["status"], story.imported("i1")["unstaged"]) == ("in_review", 2)

    run.item("p3-Spouse")
    story.ignore("p3-Spouse")
    assert (story.imported("i1")["status"], story.imported("i1")["unstaged"]) == ("in_review", 1)

    story.start("i2").item("p1-Director")
    story.ignore("p1-Director")
    assert (story.imported("i1")["status"], story.imported("i1")["unstaged"]) == ("completed", 0)


def test_an_item_of_another_client_is_never_held(story: Story) -> None:
    """A list that names another client's item: it counts as never staged, and its decisions elsewhere."""
    story.add_client("c1")
    story.add_client("c2")
    story.run_import("i2", "p1-Director", "p2-Spouse", client_id="c2")
    run = story.start("i1", "c1")
    run.item("p1-Director")
    run.stage_list("p1-Director", also=[story.item_id("p1-Director", "c2")])
    story.ignore("p1-Director")
    story.ignore("p1-Director", client_id="c2")

    row = story.imported("i1")
    assert (row["status"], row["unstaged"]) == ("in_review", 1)
    assert story.counts("i1") == {"staged": 1, "ignored": 1}


def test_what_is_completed_never_changes_again(story: Story) -> None:
    """Whatever happens to its items later, a completed import keeps its numbers."""
    story.add_client()
    story.run_import("i1", "p1-Director")
    story.import_item("p1-Director")
    before = story.imported("i1")
    story.run_import("i2", "p1-Director", name="Anna")
    story.ignore("p1-Director")
    story.remove_member(story.item("p1-Director")["member_id"])

    assert story.imported("i1") == before


def test_what_failed_never_changes_again(story: Story) -> None:
    """The numbers of a failed import are those of its end."""
    story.add_client()
    run = story.start("i1")
    run.item("p1-Director")
    run.entity(xpm_client_id="another")
    before = story.imported("i1")
    story.ignore("p1-Director")

    assert story.imported("i1") == before
    assert story.counts("i1") == {"staged": 1, "pending": 1}


def test_what_is_superseded_counts_what_the_list_withdrew(story: Story) -> None:
    """The numbers of the superseded are those after the items that are no longer there were withdrawn."""
    story.add_client()
    story.run_import("i1", "p1-Director", "p2-Spouse")
    story.run_import("i2", "p2-Spouse")
    before = story.imported("i1")
    story.ignore("p2-Spouse")

    assert story.imported("i1") == before
    assert (before["status"], before["unstaged"]) == ("superseded", 0)
    assert story.counts("i1") == {"staged": 2, "pending": 1, "withdrawn": 1}


def test_what_is_superseded_is_not_completed(story: Story) -> None:
    """An earlier import of which the later list leaves nothing pending is superseded all the same."""
    story.add_client()
    story.run_import("i1", "p1-Director")
    story.run_import("i2")

    assert story.imported("i1")["status"] == "superseded"
    assert story.counts("i1") == {"staged": 1, "withdrawn": 1}


def test_completion_is_looked_for_in_every_open_import(story: Story) -> None:
    """A decision may complete more than one import at once."""
    story.add_client()
    earlier, later = story.start("i1"), story.start("i2")
    earlier.item("p1-Director")
    later.item("p1-Director")
    earlier.stage_list("p1-Director")
    later.item("p2-Spouse")
    assert story.imported("i1")["status"] == "ready_for_review"

    story.ignore("p1-Director")
    assert [story.imported(it)["status"] for it in ("i1", "i2")] == ["completed", "fetching"]
