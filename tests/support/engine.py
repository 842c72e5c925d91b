"""The container engine, for the tests that need one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from testcontainers.core.docker_client import DockerClient

from stack.containers import engine_answers


def require_engine() -> None:
    """Skip the test, and say why, where no engine answers."""
    if not engine_answers():
        pytest.skip("no container engine answers, neither at DOCKER_HOST nor at Docker's own socket")


@contextmanager
def engine() -> Iterator[Any]:
    """Docker's client of the engine."""
    client = DockerClient().client
    try:
        yield client
    finally:
        client.close()
