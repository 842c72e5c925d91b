"""A tally for each test."""

import pytest

from tests.support.tally import Tally, prepare_tally


@pytest.fixture
async def tally(kafka_address: str, database: str, topic_prefix: str) -> Tally:
    """A small service with topics and tables of its own."""
    return await prepare_tally(kafka_address, database, topic_prefix)
