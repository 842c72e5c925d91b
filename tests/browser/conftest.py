"""One running Muster and one Chromium for all tests here; each test has a practice and browsers of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from itertools import count

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.support import stack
from tests.support.browsing.chromium import chromium
from tests.support.browsing.serving import STAFF, Served, served
from tests.support.browsing.staff import Staff
from tests.support.system import Practice

SignIn = Callable[..., Awaitable[Staff]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them share the loop in which the browser lives."""
    for item in items:
        if "/browser/" in str(item.path):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def muster(
    request, browser, kafka_address, postgres_dsn, stack_folder, tmp_path_factory
) -> AsyncIterator[Served]:
    """Everything, on a database and topics of its own, with a practice for each test that may ask for one."""
    practices = sum("/browser/" in str(item.path) for item in request.session.items)
    template = await stack.migrated_template(postgres_dsn, stack_folder)
    folder = tmp_path_factory.mktemp("portal")
    async with (
        stack.fresh_database(postgres_dsn, template) as dsn,
        served(kafka_address, dsn, folder, practices) as running,
    ):
        yield running


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    return count()


@pytest_asyncio.fixture(loop_scope="session")
async def practice(muster: Served, numbers: Iterator[int]) -> AsyncIterator[Practice]:
    """A connected practice of the test's own, with nothing in it."""
    async with muster.system.practice(f"practice-{next(numbers)}") as practice:
        yield practice


@pytest_asyncio.fixture(loop_scope="session")
async def sign_in(browser: Browser, muster: Served) -> AsyncIterator[SignIn]:
    """Sign somebody in, each in a browser of their own. What a page complains of in its console fails the test."""
    complaints: list[str] = []
    async with AsyncExitStack() as contexts:

        async def signed_in(practice: Practice, who: str = "anna", **options: object) -> Staff:
            context = await browser.new_context(**options)
            contexts.push_async_callback(context.close)
            page = await context.new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: _note(complaints, said))
            await page.goto(muster.address)
            await page.locator(f"form:has(input[value='{who}@{practice.tenant_id}']) button").click()
            await page.wait_for_url("**/clients")
            return Staff(page, muster.address, STAFF[who][0])

        yield signed_in
    assert complaints == []


def _note(complaints: list[str], said) -> None:
    """Refusals are answered with statuses that browsers remark on; what a policy forbids is a fault of ours."""
    if said.type in {"error", "warning"} and "Failed to load resource" not in said.text:
        complaints.append(said.text)
