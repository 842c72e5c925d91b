"""Generations: the resolver's tables, as often as they were folded, each in a schema of its own.

Readers see the live one through the views in the schema `resolver`.
"""

from dataclasses import dataclass
from importlib.resources import files

from services.resolver.domain.version import RULES_VERSION
from worker import queries
from worker.failures import StandBy, Stop
from worker.projection import Database

QUERIES = queries.load("services.resolver", "generations.sql")
TABLES = ("clients", "members", "links", "items", "imports", "co_owner_emails", "decisions")


@dataclass(frozen=True, slots=True)
class Generation:
    """One set of the resolver's tables. `swap` is the number of the swap that made it live."""

    number: int
    rules: int
    swap: int

    @property
    def schema(self) -> str:
        return f"resolver_g{self.number}"


async def ensure(database: Database) -> Generation:
    """The live generation; made, empty, where there is none yet."""
    found = await database.fetchrow(QUERIES.live_generation)
    if found is not None:
        return Generation(**found)
    first = Generation(number=1, rules=RULES_VERSION, swap=0)
    async with database.transaction():
        await create(database, first)
        await database.execute(QUERIES.add_generation, first.number, first.rules, first.swap)
        await show(database, first)
    return first


async def live(database: Database) -> Generation:
    """The live generation, if its rules are this release's. Raises `StandBy` where another release's rules are live."""
    found = await database.fetchrow(QUERIES.live_generation)
    if found is None:
        raise Stop("The resolver has no tables yet. Run `muster migrate`, then start it again.")
    generation = Generation(**found)
    if generation.rules != RULES_VERSION:
        raise StandBy(
            f"generation {generation.number} was folded by rules {generation.rules}, and this release has rules "
            f"{RULES_VERSION}: it stands by until the journal is replayed"
        )
    return generation


async def create(database: Database, generation: Generation) -> None:
    """Make the tables of a generation, the resolver's own. Run in a transaction."""
    schema = generation.schema
    await database.execute(f"CREATE SCHEMA {schema} AUTHORIZATION muster_resolver")
    await database.execute("SET LOCAL ROLE muster_resolver")
    await database.execute(f"SET LOCAL search_path TO {schema}")
    await database.execute(files("services.resolver").joinpath("generation.sql").read_text(encoding="utf-8"))
    await database.execute(f"GRANT USAGE ON SCHEMA {schema} TO muster_reader")
    for table in TABLES:
        await _guard(database, table)
    await database.execute("REVOKE UPDATE, DELETE, TRUNCATE ON decisions FROM muster_resolver")
    await database.execute("SET LOCAL search_path TO DEFAULT")
    await database.execute("SET LOCAL ROLE NONE")


async def show(database: Database, generation: Generation) -> None:
    """Let the readers' views show this generation. Run in a transaction."""
    for table in TABLES:
        await database.execute(
            f"CREATE OR REPLACE VIEW resolver.{table} WITH (security_invoker = true) AS "
            f"SELECT * FROM {generation.schema}.{table}"
        )
        await database.execute(f"GRANT SELECT ON resolver.{table} TO muster_reader")


async def _guard(database: Database, table: str) -> None:
    """Readers see the rows of the tenant that their transaction names, and without one, none; the owner sees all."""
    await database.execute(f"GRANT SELECT ON {table} TO muster_reader")
    await database.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    await database.execute(
        f"CREATE POLICY reader ON {table} FOR SELECT TO muster_reader "
        "USING (tenant_id = current_setting('muster.tenant_id', true))"
    )
