"""Generations: the resolver's tables, as often as they were folded, each in a schema of its own.

Readers see the live one through the views in the schema `resolver`. Beside it there may be one that a replay has folded
and not swapped in, the one that was live before, and those that are only there to compare or to look at.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

from asyncpg import Record

from services.resolver.domain.version import RULES_VERSION
from worker import queries
from worker.failures import Rewind, StandBy, Stop
from worker.projection import Database
from worker.statements import Condition, Statement

QUERIES = queries.load("services.resolver", "generations.sql")
INDEXES = queries.load("services.resolver", "generation_indexes.sql")
"""By table the statements that make what is missing of them, where the search path says."""
TABLES = ("clients", "members", "links", "items", "imports", "co_owner_emails", "decisions")
ROLE = "muster_resolver"

Row = Record | Sequence[Any]
Purpose = Literal["replay", "verify", "look", "snapshot"]


@dataclass(frozen=True, slots=True)
class Generation:
    """One set of the resolver's tables. `swap` is the number of the swap that made it live, 0 if none did."""

    number: int
    rules: int
    swap: int

    @property
    def schema(self) -> str:
        return f"resolver_g{self.number}"


async def ensure(database: Database) -> Generation:
    """The live generation, with all its indexes; made, empty, where there is none yet."""
    found = await database.fetchrow(QUERIES.live_generation)
    if found is not None:
        live_one = Generation(*found)
        async with database.transaction():
            await index(database, live_one)
        return live_one
    first = Generation(number=1, rules=RULES_VERSION, swap=0)
    async with database.transaction():
        await create(database, first)
        await index(database, first)
        await seal(database, first)
        await database.execute(QUERIES.add_first_generation, first.number, first.rules)
        await show(database, first)
    return first


async def live(database: Database) -> Generation:
    """The live generation, if its rules are this release's. Raises `StandBy` where another release's rules are live."""
    return _with_our_rules(await showing(database))


async def showing(database: Database) -> Generation:
    """The live generation, whatever its rules."""
    return _found(await database.fetchrow(QUERIES.live_generation))


def stays_live(generation: Generation) -> Condition:
    """That these tables are live still, for a statement that stores something in them."""
    return Condition(Statement(QUERIES.stays_live, [generation.number, generation.rules, generation.swap]), 1)


async def check(database: Database, expected: Generation | None) -> None:
    """Raise `StandBy` where another release's rules are live, `Rewind` where not the `expected` tables are."""
    compare(await database.fetchrow(QUERIES.live_generation), expected)


def compare(found: Row | None, expected: Generation | None) -> None:
    """The same, with what was found: number, rules and swap."""
    generation = _with_our_rules(_found(found))
    if generation != expected:
        raise Rewind(f"generation {generation.number} is live by now")


def _found(row: Row | None) -> Generation:
    if row is None:
        raise Stop("The resolver has no tables yet. Run `muster migrate`, then start it again.")
    return Generation(*row)


def _with_our_rules(generation: Generation) -> Generation:
    if generation.rules != RULES_VERSION:
        raise StandBy(
            f"generation {generation.number} was folded by rules {generation.rules}, and this release has rules "
            f"{RULES_VERSION}: it stands by until `muster replay --swap`, or a `muster verify --take-over` that finds "
            "nothing different"
        )
    return generation


async def create(database: Database, generation: Generation, *, logged: bool = True) -> None:
    """Make the tables of a generation, the resolver's own, without indexes. Run in a transaction.

    Tables that are not `logged` are written faster, and empty after a crash of the database.
    """
    schema = generation.schema
    text = files("services.resolver").joinpath("generation.sql").read_text(encoding="utf-8")
    await database.execute(f"CREATE SCHEMA {schema} AUTHORIZATION {ROLE}")
    await _work_in(database, generation)
    await database.execute(text if logged else text.replace("CREATE TABLE", "CREATE UNLOGGED TABLE"))
    await database.execute(f"GRANT USAGE ON SCHEMA {schema} TO muster_reader")
    for table in TABLES:
        await _guard(database, table)
    await _leave(database)


async def index(database: Database, generation: Generation, tables: Iterable[str] = INDEXES) -> None:
    """Make the indexes that are missing. Run in a transaction."""
    await _work_in(database, generation)
    for table in tables:
        if table in INDEXES:
            await database.execute(INDEXES[table])
    await _leave(database)


async def complete(database: Database, beside: Database, generation: Generation) -> None:
    """Let the tables be as if they had been filled long ago: indexes and statistics.

    One connection sees to `decisions`, and the other one to all that is beside it, which takes as long together.
    """
    others = sorted({*TABLES, "positions"} - {"decisions"})
    ends = await asyncio.gather(
        _complete(database, generation, ["decisions"]),
        _complete(beside, generation, others),
        return_exceptions=True,
    )
    for error in filter(None, ends):
        raise error


async def _complete(database: Database, generation: Generation, tables: Iterable[str]) -> None:
    for table in tables:
        async with database.transaction():
            await index(database, generation, [table])
        await database.execute(f"ANALYZE {generation.schema}.{table}")


async def seal(database: Database, generation: Generation) -> None:
    """From here on decisions are only ever added to. Run in a transaction."""
    await _work_in(database, generation)
    await database.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON decisions FROM {ROLE}")
    await _leave(database)


async def unseal(database: Database, generation: Generation) -> None:
    """For a generation that is not live: let a replay number its answers anew. Run in a transaction."""
    await _work_in(database, generation)
    await database.execute(f"GRANT UPDATE ON decisions TO {ROLE}")
    await _leave(database)


async def show(database: Database, generation: Generation) -> None:
    """Let the readers' views show this generation. Run in a transaction."""
    for table in TABLES:
        await database.execute(
            f"CREATE OR REPLACE VIEW resolver.{table} WITH (security_invoker = true) AS "
            f"SELECT * FROM {generation.schema}.{table}"
        )
        await database.execute(f"GRANT SELECT ON resolver.{table} TO muster_reader")


async def drop(database: Database, number: int) -> None:
    """Drop a generation that is not live."""
    async with database.transaction():
        await database.execute(f"DROP SCHEMA IF EXISTS {Generation(number, 0, 0).schema} CASCADE")
        await database.execute(QUERIES.forget_generation, number)


async def _work_in(database: Database, generation: Generation) -> None:
    await database.execute(f"SET LOCAL ROLE {ROLE}")
    await database.execute(f"SET LOCAL search_path TO {generation.schema}")


async def _leave(database: Database) -> None:
    await database.execute("SET LOCAL search_path TO DEFAULT")
    await database.execute("SET LOCAL ROLE NONE")


async def _guard(database: Database, table: str) -> None:
    """Readers see the rows of the tenant that their transaction names, and without one, none; the owner sees all."""
    await database.execute(f"GRANT SELECT ON {table} TO muster_reader")
    await database.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    await database.execute(
        f"CREATE POLICY reader ON {table} FOR SELECT TO muster_reader "
        "USING (tenant_id = current_setting('muster.tenant_id', true))"
    )
