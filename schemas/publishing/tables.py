"""The tables of the docs: markdown made from the table of topics and from the schemas, between markers in a page.

A page holds `<!-- topics -->` and `<!-- /topics -->`; what is between them is written here, the rest by people.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from schemas.envelope import EventData
from schemas.publishing import deadletters
from schemas.publishing.applications import readers_of, writer_of
from schemas.publishing.fieldlist import Line, lines
from schemas.publishing.records import envelope_schema, record_schema
from schemas.topics import DEAD_LETTERS, TOPICS, Topic

Examples = Mapping[str, Any]
"""A record for each type of event, by the type's name on the wire."""


def renewed(page: str, examples: Examples) -> str:
    """The page with everything between its markers written anew; a page without markers stays as it is."""
    for name, write in BLOCKS.items():
        before, opening, rest = page.partition(f"<!-- {name} -->\n")
        _, closing, after = rest.partition(f"<!-- /{name} -->")
        if opening and closing:
            page = before + opening + write(examples) + closing + after
    return page


def topics(_: Examples) -> str:
    """The table of topics."""
    heading = ("topic", "written by", "read by", "records", "kept", "partitions")
    return _table(heading, (_topic_row(topic) for topic in (*TOPICS, *DEAD_LETTERS)))


def envelope(_: Examples) -> str:
    """The fields that surround every event."""
    return _field_table(line for line in lines(envelope_schema()) if line.field != "data")


def events(examples: Examples) -> str:
    """Each topic with each of its types: what it says, field by field, and an example."""
    return "\n".join(part for topic in TOPICS for part in _topic(topic, examples))


def dead_letter_headers(_: Examples) -> str:
    """The headers of a dead letter."""
    rows = ((f"`{deadletters.PREFIX}{name}`", meaning) for name, (_, meaning) in deadletters.HEADERS.items())
    return _table(("header", "meaning"), rows)


BLOCKS: dict[str, Callable[[Examples], str]] = {
    "topics": topics,
    "envelope": envelope,
    "events": events,
    "dead-letter-headers": dead_letter_headers,
}


def _topic_row(topic: Topic) -> Sequence[str]:
    return (
        f"`{topic.name}`",
        topic.writers,
        ", ".join(reader.title for reader in readers_of(topic)) or "people",
        ", ".join(f"`{event.__name__}`" for event in topic.types) or "what could not be processed",
        _kept(topic),
        str(topic.partitions),
    )


def _kept(topic: Topic) -> str:
    return "for ever" if topic.retention is None else f"{topic.retention.days} days"


def _topic(topic: Topic, examples: Examples) -> Iterator[str]:
    readers = ", ".join(reader.title for reader in readers_of(topic))
    yield f"## `{topic.name}`\n"
    yield f"Read by: {readers}. Kept {_kept(topic)}, on {topic.partitions} partitions.\n"
    for event in topic.types:
        yield from _event(event, examples[event.TYPE])


def _event(event: type[EventData], example: Any) -> Iterator[str]:
    schema = record_schema(event)
    yield f"### {event.__name__}\n"
    yield f"{schema['description']}\n"
    yield f"`{event.TYPE}`, written by: {writer_of(event).title}.\n"
    yield _field_table(line for line in lines(schema) if line.field.startswith("data."))
    yield f"```json\n{json.dumps(example, indent=2, ensure_ascii=False)}\n```\n"


def _field_table(told: Iterable[Line]) -> str:
    rows = ((f"`{line.field}`", line.kind, line.presence, line.meaning) for line in told)
    return _table(("field", "type", "", "meaning"), rows)


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "".join(_row(row) for row in (heading, ["---"] * len(heading), *rows))


def _row(cells: Sequence[str]) -> str:
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |\n"
