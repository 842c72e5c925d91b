"""What every test may ask for: a real Kafka, a real Postgres, and names of its own on both."""

import secrets
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support import stack

OWNER = pytest.StashKey[stack.Owner]()


def pytest_configure(config: pytest.Config) -> None:
    # A run that was started in the background would hand down to all processes of ours that these mean nothing.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if not hasattr(config, "workerinput"):
        config.stash[OWNER] = stack.Owner()


def pytest_unconfigure(config: pytest.Config) -> None:
    if OWNER in config.stash:
        config.stash[OWNER].close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    """Tell a worker of pytest-xdist where to ask."""
    node.workerinput["stack_folder"] = str(node.config.stash[OWNER].folder)


@pytest.fixture(scope="session")
def stack_folder(pytestconfig: pytest.Config) -> Path:
    """Where this run asks for its parts."""
    workerinput = getattr(pytestconfig, "workerinput", None)
    return Path(workerinput["stack_folder"]) if workerinput else pytestconfig.stash[OWNER].folder


@pytest.fixture(scope="session")
def kafka_address(stack_folder: Path) -> str:
    """`host:port` of a broker that all tests of the run share: use topics under `topic_prefix`."""
    return stack.address_of("kafka", stack_folder)


@pytest.fixture(scope="session")
def postgres_dsn(stack_folder: Path) -> str:
    """A superuser's DSN of a server that all tests of the run share: use `database` for tables."""
    return stack.address_of("postgres", stack_folder)


@pytest.fixture
def topic_prefix() -> str:
    """What the topics and groups of this test begin with."""
    return f"test-{secrets.token_hex(4)}."


@pytest.fixture
async def database(postgres_dsn: str, stack_folder: Path) -> AsyncIterator[str]:
    """DSN of a database of this test's own, with every migration applied."""
    template = await stack.migrated_template(postgres_dsn, stack_folder)
    async with stack.fresh_database(postgres_dsn, template) as dsn:
        yield dsn


@pytest.fixture
async def empty_database(postgres_dsn: str) -> AsyncIterator[str]:
    """DSN of a database of this test's own, with nothing in it."""
    async with stack.fresh_database(postgres_dsn) as dsn:
        yield dsn
