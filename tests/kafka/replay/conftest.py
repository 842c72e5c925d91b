"""A place for each test, and without its broker aiokafka would say the same things eighty times a second."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.replaying.place import Place, replaying_place


@pytest.fixture
async def place(kafka_address: str, database: str, tmp_path: Path) -> AsyncIterator[Place]:
    async with replaying_place(kafka_address, database, tmp_path) as found:
        yield found
