"""An office for each test."""

import pytest

from tests.support.operating import Office, open_office


@pytest.fixture
async def office(kafka_address: str, database: str, topic_prefix: str, tmp_path) -> Office:
    """Topics and tables of the test's own, and an operator."""
    return await open_office(kafka_address, database, topic_prefix, tmp_path)
