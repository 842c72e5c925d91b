"""One running Muster for all tests here; each test has practices of its own in it."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from itertools import count

import pytest
import pytest_asyncio

from tests.support import stack
from tests.support.system import Practice, System, whole_system

PRACTICES = 40


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def system(kafka_address, postgres_dsn, stack_folder, tmp_path_factory) -> AsyncIterator[System]:
    """Everything, on a database and topics of its own."""
    template = await stack.migrated_template(postgres_dsn, stack_folder)
    folder = tmp_path_factory.mktemp("system")
    async with (
        stack.fresh_database(postgres_dsn, template) as dsn,
        whole_system(kafka_address, dsn, folder, PRACTICES) as system,
    ):
        yield system


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    return count()


NewPractice = Callable[[], AbstractAsyncContextManager[Practice]]


@pytest.fixture
def new_practice(system: System, numbers: Iterator[int]) -> NewPractice:
    """Make a connected practice that nobody has used before."""
    return lambda: system.practice(f"practice-{next(numbers)}")


@pytest.fixture
async def practice(new_practice: NewPractice) -> AsyncIterator[Practice]:
    """A connected practice of the test's own, with nothing in it."""
    async with new_practice() as practice:
        yield practice
