"""An importer for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from sandbox.quota import GENEROUS, Limits
from tests.support.importing.importer import Importer, prepare_importer


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """Traces without the values of variables, as in production; drawing those takes longer than a lease."""
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.processors.add_log_level, plain])
    yield
    structlog.reset_defaults()


@pytest.fixture
def limits() -> Limits:
    """How many calls XPM allows."""
    return GENEROUS


@pytest.fixture
async def importer(
    kafka_address: str, database: str, topic_prefix: str, tmp_path: Path, limits: Limits
) -> AsyncIterator[Importer]:
    """An importer with topics, tables and practices of its own."""
    async with prepare_importer(kafka_address, database, topic_prefix, tmp_path, limits=limits) as importer:
        yield importer
