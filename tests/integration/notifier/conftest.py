"""A notifier's tables, and readers of them."""

from collections.abc import AsyncIterator

import pytest

from services.notifier.reads import Reads
from tests.support.watching.tables import Tables, notifier_tables, reading


@pytest.fixture
async def tables(database: str) -> AsyncIterator[Tables]:
    async with notifier_tables(database) as tables:
        yield tables


@pytest.fixture
async def reads(database: str) -> AsyncIterator[Reads]:
    async with reading(database) as reads:
        yield reads
