"""Every screen through axe-core, wide and on a phone: nothing serious, and nothing runs over the edge."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe

from schemas.people import AmendedPerson
from schemas.portal import MemberRecorded
from tests.support.browsing.serving import Served
from tests.support.browsing.staff import Staff
from tests.support.system import STAFF, Practice

WIDTHS = (1280, 375)
SERIOUS = {"serious", "critical"}
AXE = Axe()


@pytest_asyncio.fixture(loop_scope="session")
async def furnished(practice: Practice) -> AsyncIterator[Practice]:
    """A practice with everything that screens can show."""
    await practice.client_of_xpm("oak", "Ann", "Bob", "Cy")
    await practice.add_client("fir")
    data = MemberRecorded(
        member_id="eve", client_id="oak", recorded_by=STAFF, personal=AmendedPerson(name="Eve", phone="1234")
    )
    assert (await practice.portal.tell(data, "members/eve")).result == "applied"
    yield practice


async def check(staff: Staff, screen: str) -> None:
    """No serious finding on what is before them, and nothing wider than the window."""
    found = await AXE.run(staff.page)
    serious = [
        f"{each['id']}: {each['help']}: {[node['html'] for node in each['nodes'][:3]]}"
        for each in found.response["violations"]
        if each["impact"] in SERIOUS
    ]
    assert serious == [], screen
    over = await staff.page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert over <= 0, f"{screen} runs over the edge by {over} px"


@pytest.mark.parametrize("width", WIDTHS)
async def test_no_screen_has_a_serious_finding(
    muster: Served, furnished: Practice, sign_in, width: int
) -> None:
    """Pages, menus, slide-outs, problems and empty states."""
    anna = await sign_in(furnished, viewport={"width": width, "height": 800})
    page = anna.page
    await check(anna, "clients")
    await page.get_by_label("More actions for oak").click()
    await check(anna, "menu")
    for path in (
        "/clients?search=nobody",
        "/clients/fir",
        "/clients/oak",
        "/clients/oak/review",
        "/integrations",
        "/integrations/progress",
        "/integrations/progress?status=failed",
        "/nowhere",
        "/clients/new",
        "/clients/from-xpm",
        "/clients/oak/people/new",
        "/people/eve",
        "/people/eve/remove",
        "/imports/new?client_id=oak",
        "/imports/new?client_id=fir",
        "/integrations/disconnect",
    ):
        await anna.go(path)
        await check(anna, path)
    await anna.import_items("oak")
    await check(anna, "confirmation")
    await anna.follow_progress()
    await page.get_by_role("link", name="Review new items").click()
    await anna.sees("3 people came through")
    await check(anna, "review")
    await anna.open_import("Ann")
    await anna.slide_out.get_by_text("More details").click()
    await anna.slide_out.get_by_label("Import as account co-owner").check()
    await page.evaluate("document.getElementById('field-email').required = false")
    await anna.save_and_import()
    await anna.slide_out.get_by_role("alert").wait_for()
    await check(anna, "import, refused")
    await page.keyboard.press("Escape")
    await anna.open_link("Bob")
    await anna.slide_out.get_by_label("Person of this client").select_option(label="Eve")
    await anna.slide_out.get_by_role("table").wait_for()
    await check(anna, "link, with its preview")
    await page.keyboard.press("Escape")
    await page.get_by_label("Select all").check()
    await page.get_by_role("button", name="Ignore selected items (3)").click()
    await anna.sees("All people have been dealt with.")
    await check(anna, "all dealt with")
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_role("heading", name="Sign in").wait_for()
    await check(anna, "sign-in")
