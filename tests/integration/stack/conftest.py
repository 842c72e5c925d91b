"""Servers of a test's own, ended with the test."""

import pytest

from stack.broker import Broker
from stack.kafka import EmbeddedKafka
from stack.postgres import EmbeddedPostgres
from stack.settings import StackSettings

NOWHERE = "http://127.0.0.1:9"
"""Where nobody listens."""


@pytest.fixture
def no_network(monkeypatch):
    """Whoever asks for something outside this machine gets no answer."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, NOWHERE)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def broker(kafka_address) -> Broker:
    """The broker's program, fetched and prepared as the shared broker runs on it; nothing is left to take long."""
    return Broker(StackSettings.from_environment().programs, tell=pytest.fail, mirror=NOWHERE)


@pytest.fixture
async def kafka(tmp_path, broker) -> EmbeddedKafka:
    server = EmbeddedKafka(tmp_path / "Räume & Pläne" / "kafka", broker)
    yield server
    await server.stop()


@pytest.fixture
async def postgres(tmp_path) -> EmbeddedPostgres:
    server = EmbeddedPostgres(tmp_path / "postgres")
    yield server
    await server.stop()
