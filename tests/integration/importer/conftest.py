"""The importer's tables in a database of the test's own."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.support.importing.office import Office


@pytest.fixture
async def office(database: str) -> AsyncIterator[Office]:
    session = {"role": "muster_importer", "search_path": "importer"}
    async with asyncpg.create_pool(database, min_size=1, max_size=8, server_settings=session) as pool:
        yield Office(pool)
