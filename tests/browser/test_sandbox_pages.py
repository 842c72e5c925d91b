"""The sandbox's pages in a real browser: usable by keyboard, and accessible in every colour scheme and width."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from sandbox import harbour
from sandbox.app import sandbox_app
from sandbox.server import running
from sandbox.state import Sandbox, harbour_tenancy, made_up_tenancy

PAGES = {
    "home": "",
    "practice": harbour.TENANT_ID,
    "client": f"{harbour.TENANT_ID}/{harbour.NORTHLIGHT}",
    "not there": f"{harbour.TENANT_ID}/nobody",
}


@dataclass(frozen=True)
class Served:
    """A sandbox, and the address of its pages."""

    state: Sandbox
    pages: str


@pytest_asyncio.fixture(loop_scope="session")
async def sandbox() -> AsyncIterator[Served]:
    state = Sandbox([harbour_tenancy(), made_up_tenancy("pages", 120, "pages")])
    async with running(sandbox_app(state)) as url:
        yield Served(state, f"{url}/sandbox/pages")


async def problems(page: Page) -> list[str]:
    found = await Axe().run(page)
    return [f"{it['id']}: {node['html']}" for it in found.response["violations"] for node in it["nodes"]]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1_200), ("dark", 400)])
async def test_every_page_is_accessible(browser: Browser, sandbox: Served, scheme, width):
    """Contrast, names, structure: whatever a machine can see of it."""
    sandbox.state.tenancies[harbour.TENANT_ID].practice.mark(harbour.MARA, sandbox.state.now(), archived=True)
    context = await browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = await context.new_page()
    found = {}
    for name, path in PAGES.items():
        await page.goto(f"{sandbox.pages}/{path}?said=changed")
        found[name] = await problems(page)
    await page.goto(f"{sandbox.pages}/{PAGES['client']}")
    await page.get_by_label("Word").fill("Owner")
    await page.get_by_label("With (name or id)").fill("Nobody")
    await page.get_by_role("button", name="Add relationship").click()
    found["mistake"] = await problems(page)
    await context.close()

    assert found == {name: [] for name in (*PAGES, "mistake")}


async def test_a_practice_is_changed_by_keyboard_alone(browser: Browser, sandbox: Served):
    """From the first page to a relationship that has ended, without a mouse and without a script."""
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(sandbox.pages)
    await page.get_by_role("link", name=harbour.NAME).press("Enter")
    await page.get_by_role("link", name="Saltgrass Bakery").press("Enter")
    await page.get_by_label("Word").press_sequentially("Owner")
    await page.get_by_label("With (name or id)").press_sequentially("Priya Nair")
    await page.get_by_role("button", name="Add relationship").press("Enter")
    assert await page.get_by_role("status").inner_text() == "The relationship was added."

    await page.get_by_label("Last day: Owner, Priya Nair", exact=True).fill("2025-06-30")
    await page.get_by_role("button", name="Set last day: Owner, Priya Nair").press("Enter")
    assert await page.get_by_role("status").inner_text() == "The relationship was changed."
    await context.close()

    practice = sandbox.state.tenancies[harbour.TENANT_ID].practice
    (row,) = practice.parties[harbour.SALTGRASS].relationships
    assert (row.type, row.party_uuid, row.end) == ("Owner", harbour.PRIYA, "2025-06-30")
    assert practice.parties[harbour.PRIYA].relationships[-1].type == "Owner Of"
