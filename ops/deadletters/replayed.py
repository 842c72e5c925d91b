"""Dead letters after a swap: where a replay has decided a record at its own place, its letter needs nothing more."""

from collections.abc import Sequence

from ops.audit import audited, operator_connection
from ops.broker import asking
from ops.deadletters import standing
from ops.deadletters.choice import Choice
from ops.deadletters.facts import own_records
from ops.deadletters.scanning import scan
from ops.deadletters.standing import QUERIES
from ops.groups import RESOLVER, tables_of
from ops.voice import Steps
from schemas.topics import JOURNAL
from services.resolver.replaying.journal import GROUP
from services.resolver.replaying.standing import Standing
from worker.database import Database
from worker.deadletters import letter_id_of
from worker.settings import Settings

VERB = "dead-letters replayed"
RESOLVERS_OPEN = Choice(topic=JOURNAL.name, group=GROUP)
UNDECIDED = frozenset({"failed", "unreadable"})


async def follow(settings: Settings, database: Database, found: Standing) -> tuple[int, int]:
    """Let letters stand as the last swap has decided their records; how many are decided, and open again.

    `database` reads both generations. Done once more, it changes nothing. After the loss of a database there is none to
    compare with, and nobody knows how letters stood: then every open one's own record is looked up.
    """
    if found.last_swap is None:
        return 0, 0
    compared = f"{found.live.generation.schema}.differences"
    if found.before is None or await database.fetchval("SELECT to_regclass($1) IS NULL", compared):
        return await _note(settings, await _decided_by_now(settings), [])
    live, before = found.live.generation.schema, found.before.generation.schema
    rows = await database.fetch(QUERIES.decided_otherwise.replace("{live}", live).replace("{before}", before))
    decided = [_letter(settings, row["partition"], row["offset"]) for row in rows if row["decided"]]
    lost = [_letter(settings, row["partition"], row["offset"]) for row in rows if not row["decided"]]
    return await _note(settings, decided, lost)


async def _decided_by_now(settings: Settings) -> list[str]:
    """The open letters whose records the live tables have decided at their own places."""
    async with operator_connection(settings) as database:
        known = await standing.standings(database)
    decided: list[str] = []
    async with asking(settings) as broker, tables_of(settings, RESOLVER) as tables:
        async for letters in scan(settings, broker, RESOLVERS_OPEN, known, Steps()):
            own = await own_records(tables, letters)
            decided += [
                each.id
                for each in letters
                if each.id == _letter(settings, each.partition, each.offset)
                and (found := own.get((each.partition, each.offset))) is not None
                and found.result not in UNDECIDED
            ]
    return decided


async def _note(settings: Settings, decided: Sequence[str], lost: Sequence[str]) -> tuple[int, int]:
    async with operator_connection(settings) as database:
        known = await standing.standings(database)
        if not any(known.of(each) == "open" for each in decided) and not any(
            known.of(each) == "replayed" for each in lost
        ):
            return 0, 0
        async with audited(settings, VERB, {}) as run, database.transaction():
            numbers = (
                await standing.replayed(database, run.id, decided, JOURNAL.name),
                await standing.open_again(database, run.id, lost, JOURNAL.name),
            )
            run.result.update(replayed=numbers[0], open=numbers[1])
    return numbers


def _letter(settings: Settings, partition: int, offset: int) -> str:
    return letter_id_of(GROUP, JOURNAL, settings.topic_epoch, partition, offset)
