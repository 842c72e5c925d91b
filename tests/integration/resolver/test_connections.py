"""The resolver's connections: each is for the tables that were live when it was prepared."""

import asyncpg
import pytest

from services.resolver import generations
from services.resolver.domain.version import RULES_VERSION
from services.resolver.generations import Generation
from services.resolver.projection import ResolverProjection
from worker.failures import Rewind


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
    finally:
        for each in (older, newer, operator):
            await each.close()


async def _swap(operator: "asyncpg.Connection[asyncpg.Record]") -> None:
    async with operator.transaction():
        await generations.create(operator, Generation(2, RULES_VERSION, 1))
        await operator.execute("UPDATE resolver.generations SET live = false")
        await operator.execute(
            "INSERT INTO resolver.generations (number, rules, swap, live, made_at) VALUES (2, $1, 1, true, now())",
            RULES_VERSION,
        )
