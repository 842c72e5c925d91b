"""Every screen through axe-core, wide and on a phone: nothing serious, and nothing runs over the edge.

`make screens` runs the same tour, and keeps pictures of it.
"""

import os
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests.support.browsing import tour
from tests.support.browsing.serving import NOT_CONNECTED, Served
from tests.support.system import Practice

WIDTHS = {"wide": (1280, 800), "phone": (390, 844)}
SERIOUS = {"serious", "critical"}
AXE = Axe()
PICTURES = os.environ.get("SCREENS_TO")
"""A folder for a picture of each screen."""


async def check(page: Page, screen: str) -> None:
    """No serious finding on what is before them, and nothing wider than the window."""
    found = await AXE.run(page)
    serious = [
        f"{each['id']}: {each['help']}: {[node['html'] for node in each['nodes'][:3]]}"
        for each in found.response["violations"]
        if each["impact"] in SERIOUS
    ]
    assert serious == [], screen
    over = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert over <= 0, f"{screen} runs over the edge by {over} px"


async def keep(page: Page, name: str) -> None:
    """A picture of it, as it comes to rest."""
    path = Path(str(PICTURES), f"{name}.jpg")
    await page.screenshot(path=path, type="jpeg", quality=72, animations="disabled", caret="initial")


@pytest.mark.parametrize("form", WIDTHS)
async def test_no_screen_has_a_serious_finding(practice: Practice, sign_in, form: str) -> None:
    """Pages, menus, slide-outs, refusals, problems and empty states."""
    width, height = WIDTHS[form]
    await tour.furnish(practice)

    async def look(page: Page, screen: str) -> None:
        await check(page, f"{screen}, {form}")
        if PICTURES:
            await keep(page, f"{screen}-{form}")

    anna = await sign_in(
        practice, viewport={"width": width, "height": height}, locale="en-AU", timezone_id="Australia/Sydney"
    )
    await tour.tour(anna, practice, look)


async def test_a_new_practice_finds_its_way(muster: Served, sign_in) -> None:
    """What there is before anything is there, for staff and for who may only look."""
    async with muster.system.practice(NOT_CONNECTED) as practice:
        for who in ("anna", "rita"):
            staff = await sign_in(practice, who)
            for path in ("/clients", "/integrations"):
                await staff.go(path)
                await check(staff.page, f"{path}, {who}")
                if PICTURES:
                    await keep(staff.page, f"new{path.replace('/', '-')}-{who}")
