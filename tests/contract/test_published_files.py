"""What is made from the contract is checked in, fresh, and says what the contract says."""

import json
import re
from pathlib import Path

import pytest

from schemas.publishing import __main__ as command
from schemas.publishing import documents, tables
from schemas.publishing.applications import APPLICATIONS, writer_of
from schemas.publishing.fieldlist import Line, lines
from schemas.publishing.records import record_schema
from schemas.topics import DEAD_LETTERS, EVENT_TYPES, JOURNAL, TOPICS
from services.importer.projection import ImporterProjection
from services.notifier.projection import NotifierProjection
from services.resolver.projection import ResolverProjection
from worker.routing import partition_of

EVENTS_PAGE = documents.PROJECT / "docs" / "events.md"


def test_the_checked_in_files_are_fresh() -> None:
    """`make generate` would change nothing, and `make check` has nothing to say."""
    assert documents.stale(documents.texts()) == []
    assert command.check() == []


def test_a_file_that_is_not_as_wanted_is_stale(tmp_path: Path) -> None:
    """Missing, different, or both."""
    wanted = {tmp_path / name: "as wanted\n" for name in ("fresh", "changed", "missing")}
    (tmp_path / "fresh").write_text("as wanted\n", "utf-8")
    (tmp_path / "changed").write_text("as it was\n", "utf-8")

    found = [file.name for file in documents.stale(wanted | documents.texts())]

    assert found == ["changed", "missing"]


def test_a_schema_of_a_type_that_is_no_more_is_stale() -> None:
    """Nobody finds a schema of something that is not said any more; its versions stay in the history."""
    file = documents.PUBLISHED / "muster.item.staged.v1.json"
    wanted = {name: text for name, text in documents.texts().items() if name != file}

    assert documents.stale(wanted) == [file]


def test_what_stands_between_markers_is_renewed_and_nothing_else() -> None:
    """People write the page; the tables in it are made."""
    page = "before\n<!-- topics -->\nan old table\n<!-- /topics -->\nafter <!-- topics -->\n"

    renewed = tables.renewed(page, documents.examples())

    assert renewed == (
        f"before\n<!-- topics -->\n{tables.topics({})}<!-- /topics -->\nafter <!-- topics -->\n"
    )
    assert tables.renewed(renewed, documents.examples()) == renewed


@pytest.mark.parametrize(
    "page", ["", "# Muster\n", "<!-- topics -->\n", "<!-- topics -->\nno end", "<!-- /topics -->"]
)
def test_a_page_without_both_markers_stays_as_it_is(page: str) -> None:
    """A page that is not finished loses nothing."""
    assert tables.renewed(page, documents.examples()) == page


def test_the_table_of_topics_has_a_row_for_each() -> None:
    """With all of its types, how long it is kept, and who reads and writes it."""
    rows = tables.topics({}).splitlines()[2:]

    assert [row.split("`")[1] for row in rows] == [topic.name for topic in (*TOPICS, *DEAD_LETTERS)]
    for row, topic in zip(rows, TOPICS, strict=False):
        assert all(f"`{event.__name__}`" in row for event in topic.types)
    assert "| for ever | 24 |" in rows[1]
    assert "| portal backends | importer, notifier | `ImportRequested` | 7 days | 12 |" in rows[0]


def test_every_type_is_on_the_page_with_its_fields_and_its_example() -> None:
    """Nobody has to read the code to write an event."""
    page = EVENTS_PAGE.read_text("utf-8")
    shown = [json.loads(found) for found in re.findall(r"```json\n(.*?)\n```", page, re.DOTALL)]

    assert shown == [documents.examples()[event.TYPE] for topic in TOPICS for event in topic.types]
    for event in EVENT_TYPES.values():
        section = page.split(f"### {event.__name__}\n")[1].split("\n### ")[0]
        for line in lines(record_schema(event)):
            assert not line.field.startswith("data.") or f"| `{line.field}` |" in section


def test_a_field_is_told_as_people_say_it() -> None:
    """What it holds, whether it has to be there, and what it means."""
    told = {line.field: line for line in lines(record_schema(EVENT_TYPES["muster.item.staged.v1"]))}

    assert told["data.item_id"] == Line(
        "data.item_id",
        "visible ASCII, 1 to 128",
        "required",
        "Derived, so that it is the same at every import (`schemas.ids.item_id`).",
    )
    assert told["data.archived"].presence == "`false` if absent"
    assert told["data.details_as_of"].kind == "instant or null"
    assert told["data.relationship.start_date"].kind == "date or null"
    assert told["data.relationship.number_of_shares"].kind == "integer, 0 to 9223372036854775807 or null"
    assert told["data.personal"].meaning.startswith("What XPM has about a person or entity")


def test_lists_and_blocks_in_them_are_told() -> None:
    """`items[].state` is the state of one of the items."""
    outcome = {
        line.field: line.kind for line in lines(record_schema(EVENT_TYPES["muster.outcome.recorded.v1"]))
    }
    staged = {line.field: line.kind for line in lines(record_schema(EVENT_TYPES["muster.import.staged.v1"]))}

    assert outcome["data.items"] == "list; each: block"
    assert outcome["data.items[].state"].startswith("`pending`, ")
    assert outcome["data.items[].digest"] == "`^[0-9a-f]{32}$`, 32"
    assert staged["data.item_ids"] == "list, at most 20000; each: visible ASCII, 1 to 128"


def test_the_page_tells_librdkafka_users_how_to_find_the_partition() -> None:
    """And gives them a key to try it with."""
    page = EVENTS_PAGE.read_text("utf-8")
    key, partition = re.search(r"of 24 partitions, the key `(.+)` belongs on partition (\d+)", page).groups()

    assert '"partitioner": "murmur2_random"' in page
    assert partition_of(key.encode(), JOURNAL.partitions) == int(partition)


def test_each_type_is_sent_by_one_application() -> None:
    """The table of topics and the list of applications say the same."""
    for topic in TOPICS:
        writers = dict.fromkeys(writer_of(event).title for event in topic.types)
        sent = [event for each in APPLICATIONS for event in each.sends.get(topic, ())]

        assert ", ".join(writers) == topic.writers
        assert sorted(map(str, sent)) == sorted(map(str, topic.types))


@pytest.mark.parametrize("projection", [ImporterProjection, ResolverProjection, NotifierProjection])
def test_each_service_receives_what_it_says(projection: type) -> None:
    """Under its own name as the consumer group."""
    service = next(each for each in APPLICATIONS if each.name == projection.group)

    assert service.is_service
    assert set(service.receives) == set(projection.topics)
