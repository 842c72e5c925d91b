"""A notifier of each test's own, on the real broker and a real Postgres."""

import pytest

from tests.support.watching.running import Notifier, prepare_notifier


@pytest.fixture
async def notifier(kafka_address: str, database: str, topic_prefix: str) -> Notifier:
    return await prepare_notifier(kafka_address, database, topic_prefix)
