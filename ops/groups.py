"""The groups of our services, whose positions are in Postgres; every other group's are in Kafka."""

from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.topics import JOURNAL, OUTCOMES, REQUESTS, Topic
from services.resolver import generations
from worker import queries
from worker.database import Database, connect
from worker.positions import Place
from worker.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

QUERIES = queries.load("ops", "groups.sql")


@dataclass(frozen=True, slots=True)
class ServiceGroup:
    """A group of a service. `schema` is None where the tables are in generations.

    `reads_again` tells whether a rewind has the records read again; otherwise what came of them is published again
    from the tables. `again` counts, by a query, what that will be, and `effect` says what it means.
    """

    name: str
    topics: Sequence[Topic]
    role: str
    schema: str | None
    reads_again: bool
    again: str
    counted: str
    effect: str


IMPORTER = ServiceGroup(
    "importer",
    (REQUESTS,),
    "muster_importer",
    "importer",
    reads_again=True,
    again="",
    counted="requests",
    effect=(
        "The importer reads these requests again. One that it knows it does not work off again: a set that is stored "
        "and not acknowledged is published whole, of an import that has ended the last event; same ids, same content."
    ),
)
RESOLVER = ServiceGroup(
    "resolver",
    (JOURNAL,),
    "muster_resolver",
    None,
    reads_again=False,
    again="resolver_again",
    counted="outcomes",
    effect=(
        "The resolver publishes what it has recorded of these records again, same ids, same content. Nothing is "
        "decided again and nothing takes effect twice."
    ),
)
NOTIFIER = ServiceGroup(
    "notifier",
    (REQUESTS, OUTCOMES),
    "muster_notifier",
    "notifier",
    reads_again=False,
    again="notifier_again",
    counted="snapshots",
    effect=(
        "The notifier publishes the snapshots that it has stored for these records again, same ids, same versions. "
        "Nothing is folded again; snapshots are kept for as long as a row can be seen, and a day longer."
    ),
)
SERVICE_GROUPS: Mapping[str, ServiceGroup] = {each.name: each for each in (IMPORTER, RESOLVER, NOTIFIER)}


@dataclass(frozen=True, slots=True)
class Stored:
    """A position as it is stored."""

    topic: str
    partition: int
    cluster_id: str
    epoch: int
    applied_to: int
    published_to: int

    @property
    def place(self) -> Place:
        return self.topic, self.partition


@asynccontextmanager
async def tables_of(settings: Settings, group: ServiceGroup) -> "AsyncIterator[Database]":
    """A connection with the service's own rights, to its own tables; of several generations the live one's."""
    database = await connect(settings, "operator", role=group.role)
    try:
        schema = group.schema or generations.Generation(**await _live(database)).schema
        await database.execute(f"SET search_path TO {schema}")
        yield database
    finally:
        await database.close(timeout=5)


async def stored(database: Database, group: ServiceGroup) -> list[Stored]:
    """The group's positions; none before it first ran."""
    rows = await database.fetch(QUERIES.stored, group.name)
    return [Stored(**row) for row in rows]


async def _live(database: Database) -> Mapping[str, int]:
    found = await database.fetchrow(generations.QUERIES.live_generation)
    assert found is not None, "`muster migrate` makes the first"
    return dict(found)
