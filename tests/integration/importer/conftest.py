"""The importer's tables in a database of the test's own, and a sandbox to connect to."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.support.connecting.desk import Desk, World, world
from tests.support.importing.office import Office


@pytest.fixture
async def office(database: str) -> AsyncIterator[Office]:
    session = {"role": "muster_importer", "search_path": "importer"}
    async with asyncpg.create_pool(database, min_size=1, max_size=8, server_settings=session) as pool:
        yield Office(pool)


@pytest.fixture
async def xpm(database: str) -> AsyncIterator[World]:
    """A sandbox with two practices."""
    async with world(database) as running:
        yield running


@pytest.fixture
async def desk(xpm: World) -> AsyncIterator[Desk]:
    """An importer's connections, and its internal API."""
    async with xpm.desk() as running:
        yield running
