"""The resolver's connections: each is for the tables that were live when it was prepared."""

import re

import asyncpg
import pytest
from pydantic import SecretStr

from schemas.portal import ClientAdded
from services.resolver import emptied, generations, store
from services.resolver.domain.version import RULES_VERSION
from services.resolver.generations import Generation
from services.resolver.projection import ResolverProjection
from tests.support.journals import golden
from tests.support.journals.entries import read
from worker.database import HeldConnections
from worker.failures import Rewind
from worker.settings import Settings

ONE = [next(each.incoming() for each in read(golden.JOURNAL) if isinstance(each.record().data, ClientAdded))]


async def test_a_connection_from_before_a_swap_is_refused_beside_one_from_after_it(database: str) -> None:
    """Two are in use at once, and the older one's search path leads to tables that nobody reads any more."""
    projection = ResolverProjection()
    older, newer, operator = [await asyncpg.connect(database) for _ in range(3)]
    try:
        await projection.prepare(older)
        await _swap(operator)
        await projection.prepare(newer)

        await projection.check(newer)
        with pytest.raises(Rewind):
            await projection.check(older)
        for batch in ([], ONE, ONE * (store.AT_ONCE + 1)):
            with pytest.raises(Rewind):
                await projection.apply(older, batch)
    finally:
        for each in (older, newer, operator):
            await each.close()


async def test_every_statement_of_the_loop_finds_its_rows_by_key_also_while_the_tables_are_empty(
    database: str,
) -> None:
    """A plan that reads whole tables would be kept while they grow."""
    held = HeldConnections(
        Settings(postgres_dsn=SecretStr(database)), "resolver", ResolverProjection().prepare, 2
    )
    try:
        for connection in await held.all():
            for name, query in store.QUERIES.items():
                number = max(map(int, re.findall(r"\$(\d+)", query)))
                await connection.execute(f"PREPARE {name} AS {query}")
                nothing = ", ".join(["NULL"] * number)
                plan = await connection.fetch(f"EXPLAIN EXECUTE {name} ({nothing})")
                assert not [line for (line,) in plan if "Seq Scan" in line or "Hash Join" in line], name
    finally:
        await held.close()


async def test_what_few_records_name_and_what_they_change_is_a_statement_each(database: str) -> None:
    """Who waits for a command waits for round trips. The second is left to the loop, which moves positions in it."""
    connection = await asyncpg.connect(database)
    projection = ResolverProjection()
    try:
        await projection.prepare(connection)
        asked: list[str] = []
        for _ in "connection", "command":  # a new connection asks for types as well
            with connection.query_logger(lambda told: asked.append(told.query)):
                asked.clear()
                effects = await projection.apply(connection, ONE)

        [looked_up] = asked
        assert "FROM clients" in looked_up
        assert "FROM co_owner_emails" in looked_up
        assert [each.text.split()[:3] for each in effects.rest] == [
            ["INSERT", "INTO", "clients"],
            ["INSERT", "INTO", "decisions"],
        ]
    finally:
        await connection.close()


async def _swap(operator: "asyncpg.Connection[asyncpg.Record]") -> None:
    async with operator.transaction():
        await generations.create(operator, Generation(2, RULES_VERSION, 1))
        await operator.execute("UPDATE resolver.generations SET live = false")
        await operator.execute(
            "INSERT INTO resolver.generations (number, rules, swap, live, made_at) VALUES (2, $1, 1, true, now())",
            RULES_VERSION,
        )


async def test_tables_that_a_swap_has_just_taken_away_are_looked_for_again(database: str) -> None:
    """A resolver that looks whether it may begin may find that the tables it looks at have gone."""
    connection = await asyncpg.connect(database)
    try:
        with pytest.raises(Rewind):
            await emptied.check(Settings(), connection, Generation(number=9, rules=1, swap=0))
    finally:
        await connection.close()
