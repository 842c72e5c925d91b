"""Gathering what judgements are made on, for many letters at once: three queries, however many there are."""

from collections.abc import Sequence
from datetime import datetime

from asyncpg import Record

from ops.deadletters.judging import Decided, Facts, Judgement, event_of, judge, subject_of
from ops.deadletters.letter import DeadLetter
from ops.times import instant
from schemas.codec import Event, Unreadable
from schemas.topics import JOURNAL
from services.resolver import generations
from services.resolver.domain.version import RULES_VERSION
from worker import queries
from worker.database import Database
from worker.routing import partition_of

QUERIES = queries.load("ops.deadletters", "facts.sql")

Asked = tuple[int, str, int, int, datetime, str, str, str]


async def judgements(
    database: Database, letters: Sequence[DeadLetter], journal_partitions: int
) -> list[Judgement]:
    """Judge letters by the live tables; `database` has the rights and the search path of the resolver."""
    events = [event_of(letter) for letter in letters]
    facts = await gather(database, letters, events, journal_partitions)
    return [judge(*each) for each in zip(letters, events, facts, strict=True)]


async def gather(
    database: Database,
    letters: Sequence[DeadLetter],
    events: Sequence[Event | Unreadable],
    journal_partitions: int,
) -> list[Facts]:
    """The facts about each letter."""
    live = await database.fetchrow(generations.QUERIES.live_generation)
    assert live is not None, "`database` is in its schema"
    own = await own_records(database, letters)
    claims = await _claims(database, events)
    newer = await _newer(database, letters, events, journal_partitions)
    return [
        Facts(
            rules=live["rules"],
            our_rules=RULES_VERSION,
            own=own.get((letter.partition, letter.offset)) if letter.source is JOURNAL else None,
            claim=claims.get((event.tenant_id, event.id)) if isinstance(event, Event) else None,
            newer=newer.get(number),
        )
        for number, (letter, event) in enumerate(zip(letters, events, strict=True))
    ]


async def own_records(database: Database, letters: Sequence[DeadLetter]) -> dict[tuple[int, int], Decided]:
    """What the records of the journal came to at their own places, by partition and offset."""
    places = [(each.partition, each.offset) for each in letters if each.source is JOURNAL]
    rows = await database.fetch(
        QUERIES.at_places, [partition for partition, _ in places], [offset for _, offset in places]
    )
    return {(row["partition"], row["offset"]): _decided(row) for row in rows}


async def _claims(database: Database, events: Sequence[Event | Unreadable]) -> dict[tuple[str, str], Decided]:
    ids = [(each.tenant_id, each.id) for each in events if isinstance(each, Event)]
    rows = await database.fetch(QUERIES.claims, [tenant for tenant, _ in ids], [one for _, one in ids])
    return {(row["tenant_id"], row["event_id"]): _decided(row) for row in rows}


async def _newer(
    database: Database,
    letters: Sequence[DeadLetter],
    events: Sequence[Event | Unreadable],
    journal_partitions: int,
) -> dict[int, Decided]:
    asked = [
        question
        for number, (letter, event) in enumerate(zip(letters, events, strict=True))
        if (question := _question(number, letter, event, journal_partitions)) is not None
    ]
    if not asked:
        return {}
    columns = [list(column) for column in zip(*asked, strict=True)]
    _, _, partitions, since, times, *_ = columns
    rows = await database.fetch(
        QUERIES.newer, *columns, sorted(set(partitions)), min(since), min(times), timeout=120
    )
    return {row["number"]: _decided(row) for row in rows}


def _question(
    number: int, letter: DeadLetter, event: Event | Unreadable, journal_partitions: int
) -> Asked | None:
    """Where offsets can't be compared, since the record was elsewhere, the broker's timestamps are."""
    subject = subject_of(event) if isinstance(event, Event) else None
    if subject is None or isinstance(event, Unreadable):
        return None
    partition = partition_of(event.tenant_id.encode(), journal_partitions)
    in_place = letter.source is JOURNAL and letter.partition == partition
    return (
        number,
        event.tenant_id,
        partition,
        letter.offset if in_place else -1,
        instant(letter.timestamp),
        subject.kind,
        subject.id,
        " ".join(subject.types),
    )


def _decided(row: Record) -> Decided:
    return Decided(
        partition=row["partition"],
        offset=row["offset"],
        result=row.get("result") or "applied",
        reason=row.get("reason"),
        event_type=row.get("event_type"),
        content=row.get("content"),
        at=row["at"],
    )
