"""Whether Kafka and Postgres answer, what they are, and whether they have what this release needs."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from aiokafka import TopicPartition

from ops.doctor.finding import Finding, World
from ops.explaining import explanation
from ops.times import shown_duration
from schemas.topics import TOPICS
from services.resolver import generations
from services.resolver.domain.version import RULES_VERSION
from worker import queries, topics
from worker.database import connect
from worker.migrate import migrations

QUERIES = queries.load("ops.doctor", "queries.sql")

CLOCKS_DIFFER_SECONDS = 5.0
MIGRATE = "Run `muster migrate`."


async def servers(world: World) -> Sequence[Finding]:
    """Reachability, and how long an answer takes."""
    return [await _kafka(world), await _postgres(world)]


async def all_topics(world: World) -> Sequence[Finding]:
    """The topics against the table of topics."""
    states = await topics.look(world.settings)
    missing = [state.name for state in states if not state.exists]
    if missing:
        return [
            Finding("topics", "bad", f"missing: {', '.join(missing)}", "Make them: `muster topics --apply`.")
        ]
    faults = [f"{state.name}: {fault}" for state in states for fault in state.faults]
    if faults:
        return [
            Finding(
                "topics", "bad", "; ".join(faults), "Set them as they must be; `muster topics` shows all."
            )
        ]
    notes = [f"{state.name}: {note}" for state in states for note in state.notes]
    if notes:
        return [
            Finding("topics", "look", "; ".join(notes), "Harmless, or passing: `muster topics` shows all.")
        ]
    return [Finding("topics", "ok", f"all {len(states)} are as they must be")]


async def schema(world: World) -> Sequence[Finding]:
    """The migrations, and the rules that the live tables were folded by."""
    wanted = migrations()
    database = await connect(world.settings, "doctor")
    try:
        if await database.fetchval("SELECT to_regclass('public.migrations')") is None:
            return [Finding("migrations", "bad", "the database is empty", MIGRATE)]
        applied = {row["number"]: row for row in await database.fetch(QUERIES.applied)}
        live = await database.fetchrow(generations.QUERIES.live_generation) if len(applied) > 2 else None  # noqa: PLR2004 - the third makes generations
    finally:
        await database.close()
    missing = [each.name for each in wanted if each.number not in applied]
    ahead = [row["name"] for number, row in applied.items() if number > len(wanted)]
    edited = [
        each.name
        for each in wanted
        if each.number in applied and applied[each.number]["checksum"] != each.checksum
    ]
    if ahead or edited:
        said = f"ahead of this release: {', '.join(ahead)}" if ahead else f"edited since: {', '.join(edited)}"
        return [Finding("migrations", "bad", said, "Run the release that made the database, or a later one.")]
    if missing:
        return [Finding("migrations", "bad", f"missing: {', '.join(missing)}", MIGRATE)]
    found = [Finding("migrations", "ok", f"all {len(wanted)} are applied")]
    if live is None:
        return [*found, Finding("rules", "bad", "the resolver has no tables yet", MIGRATE)]
    if live["rules"] != RULES_VERSION:
        said = f"the live tables are by rules {live['rules']}, this release has rules {RULES_VERSION}"
        advice = "Resolvers of this release stand by: `muster verify`, then `muster replay --swap`."
        return [*found, Finding("rules", "look", said, advice)]
    return [*found, Finding("rules", "ok", f"generation {live['number']}, by rules {RULES_VERSION}")]


async def clocks(world: World) -> Sequence[Finding]:
    """The clock of this machine against the database's and the broker's: waits, leases and 72 hours go by those."""
    found = []
    database = await connect(world.settings, "doctor")
    try:
        asked = datetime.now(UTC)
        told: datetime = await database.fetchval(QUERIES.clock)
        off = (told - asked).total_seconds()
    finally:
        await database.close()
    if abs(off) > CLOCKS_DIFFER_SECONDS:
        found.append(f"the database's is {shown_duration(abs(off))} {'ahead' if off > 0 else 'behind'}")
    ahead = await _broker_is_ahead(world)
    if ahead > CLOCKS_DIFFER_SECONDS:
        found.append(f"the broker's is {shown_duration(ahead)} ahead")
    if found:
        return [Finding("clocks", "bad", ", ".join(found), "Set the clocks by NTP on every machine.")]
    return [Finding("clocks", "ok", "this machine, the database and the broker agree")]


async def _broker_is_ahead(world: World) -> float:
    """By how many seconds the newest record is from the future; there is no other way to ask a broker for its time."""
    if world.broker is None:
        return 0.0
    counts = await world.broker.partitions()
    names = [world.settings.topic_name(topic) for topic in TOPICS]
    places = [TopicPartition(name, each) for name in names for each in range(counts.get(name, 0))]
    ends, begins = await world.broker.ends(places), await world.broker.begins(places)
    last = await world.broker.first({each: ends[each] - 1 for each in places if begins[each] < ends[each]})
    newest = max((record.timestamp for record in last.values()), default=0)
    return newest / 1000 - time.time()


async def _kafka(world: World) -> Finding:
    where = world.settings.kafka
    if world.broker is None:
        return Finding(
            "kafka", "bad", f"{where} does not answer", "Start it, or say where it is with MUSTER_KAFKA."
        )
    began = time.monotonic()
    cluster = await world.broker.cluster_id()
    took = (time.monotonic() - began) * 1000
    return Finding("kafka", "ok", f"{where} answers in {took:.0f} ms, cluster {cluster}")


async def _postgres(world: World) -> Finding:
    if world.no_database is not None:
        _, sentence = explanation(world.no_database)
        said, _, advice = sentence.partition(". ")
        return Finding("postgres", "bad", said, advice)
    began = time.monotonic()
    database = await connect(world.settings, "doctor")
    took = (time.monotonic() - began) * 1000
    version = ".".join(str(each) for each in database.get_server_version()[:2])
    await database.close()
    return Finding("postgres", "ok", f"answers in {took:.0f} ms, version {version}")
