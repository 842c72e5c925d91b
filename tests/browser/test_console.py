"""The console itself: by keyboard, behind a path, in the reader's zone, without the script."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from playwright.async_api import expect

from tests.support.browsing.serving import Served, portal_process
from tests.support.browsing.staff import MS, Staff
from tests.support.processes import running
from tests.support.system import Practice


async def test_a_decision_is_made_by_keyboard_alone_and_the_focus_is_kept(
    practice: Practice, sign_in
) -> None:
    """The menu, the slide-out and the list; Escape closes, and what was left off is where one goes on."""
    await practice.client_of_xpm("oak", "Ann", "Bob")
    anna = await sign_in(practice)
    more = anna.page.get_by_label("More actions for oak")
    await more.focus()
    for key in (
        "Enter",
        "ArrowDown",
        "ArrowDown",
        "ArrowDown",
        "Enter",
        "ArrowDown",
        "Enter",
        "ArrowDown",
        "Enter",
    ):
        await anna.page.keyboard.press(key)
    await expect(anna.slide_out.get_by_role("button", name="Continue")).to_be_visible()
    await anna.page.keyboard.press("Escape")
    await expect(more).to_be_focused()
    await anna.import_and_review("oak")

    link = anna.page.get_by_role("link", name="Import Bob, Director")
    await link.focus()
    await anna.page.keyboard.press("Enter")
    await expect(anna.slide_out.get_by_role("heading", name="Import Bob")).to_be_focused()
    await anna.page.keyboard.press("Escape")
    await expect(link).to_be_focused()
    await practice.portal.read("SELECT 1")
    await anna.page.get_by_role("button", name="Ignore Ann, Director").click()
    await anna.said("Ann was ignored.")
    await expect(anna.page.locator("#review-list")).to_be_focused()


async def test_the_focus_goes_back_to_the_menu_although_the_list_moved_meanwhile(
    practice: Practice, sign_in
) -> None:
    """What opened the slide-out is another element by then, for the same client."""
    await practice.client_of_xpm("oak", "Ann")
    anna = await sign_in(practice)
    more = anna.page.get_by_label("More actions for oak")
    await more.click()
    await anna.page.get_by_text("Integration actions").click()
    await anna.page.get_by_text("Xero Practice Manager").click()
    await anna.page.get_by_role("link", name="Import items").click()
    await expect(anna.slide_out.get_by_role("button", name="Continue")).to_be_visible()

    await practice.add_client("fir")
    await expect(anna.page.locator("#menu-fir")).to_be_attached()
    await anna.page.keyboard.press("Escape")

    await expect(more).to_be_focused()


async def test_what_somebody_ticked_stays_ticked_when_the_list_moves(practice: Practice, sign_in) -> None:
    """Another's decision takes a row away under one's hands, and nothing else."""
    await practice.client_of_xpm("oak", "Ann", "Bob", "Cy")
    anna, ben = await sign_in(practice), await sign_in(practice, "ben")
    await anna.import_and_review("oak")
    box = anna.page.get_by_label("Select Cy, Director")
    await box.check()
    await box.focus()
    await ben.review("oak")
    await ben.ignore("Ann")

    await expect(anna.row("Ann")).to_have_count(0)
    await expect(box).to_be_checked()
    await expect(box).to_be_focused()


async def test_it_works_behind_a_path(muster: Served, practice: Practice, browser, tmp_path) -> None:
    """A proxy that leaves the prefix on; every link, form, script and stream stays under it."""
    await practice.client_of_xpm("oak", "Ann")
    portal = portal_process(muster.system, tmp_path, "portal-behind", MUSTER_PATH_PREFIX="/muster")
    async with running(portal):
        context = await browser.new_context()
        page = await context.new_page()
        strays: list[str] = []
        page.on("request", lambda sent: "/muster" in sent.url or strays.append(sent.url))
        await page.goto(f"{portal.address}/muster")
        await page.locator(f"form:has(input[value='anna@{practice.tenant_id}']) button").click()
        await expect(page).to_have_url(re.compile("/muster/clients$"))
        await page.get_by_role("link", name="Configure").click()
        await page.get_by_role("link", name="Integration progress").click()
        await expect(page.locator(".row").first).to_contain_text("oak")
        await page.get_by_role("link", name="oak").first.click()
        await expect(page).to_have_url(re.compile("/muster/clients/oak$"))
        await context.close()

        assert strays == []


async def test_times_are_the_readers_own(practice: Practice, sign_in) -> None:
    """In the zone and the manner of their browser."""
    await practice.client_of_xpm("oak", "Ann")
    anna = await sign_in(practice, timezone_id="Pacific/Auckland", locale="en-NZ")
    await anna.go("/integrations/progress")
    shown = anna.row("Client added").locator("time").first
    instant = datetime.fromisoformat(await shown.get_attribute("datetime") or "")

    there = instant.astimezone(ZoneInfo("Pacific/Auckland"))
    await expect(shown).to_contain_text(f"{there.hour % 12 or 12}:{there:%M}")


async def test_everything_works_without_the_script(practice: Practice, sign_in) -> None:
    """By links and forms alone."""
    await practice.client_of_xpm("oak", "Ann", "Bob")
    anna = await sign_in(practice, java_script_enabled=False)
    await anna.page.get_by_label("More actions for oak").click()
    await anna.page.get_by_text("Integration actions").click()
    await anna.page.get_by_text("Xero Practice Manager", exact=True).click()
    await anna.page.get_by_role("link", name="Import items").click()
    await anna.page.get_by_role("button", name="Continue").click()
    await anna.sees("The import is in progress")
    await until_listed(anna)
    await anna.page.get_by_role("link", name="Import Ann, Director").click()
    await anna.page.get_by_label("Name").fill("Ann Oak")
    await anna.page.get_by_role("button", name="Save and import").click()
    await anna.sees("Ann Oak was imported.")
    await anna.ignore("Bob")
    await anna.sees("All people have been dealt with.")


async def until_listed(staff) -> None:
    """Without the script somebody reloads the page."""
    for _ in range(100):
        await staff.review("oak")
        if await staff.page.get_by_role("link", name="Import Ann, Director").count():
            return
    raise AssertionError("nobody came through")


async def test_pages_may_load_nothing_from_elsewhere(practice: Practice, sign_in) -> None:
    """The policy names our own files only, and no page asks for anything else."""
    anna = await sign_in(practice)
    hosts: set[str] = set()
    anna.page.on("request", lambda sent: hosts.add(sent.url.split("/")[2]))
    answer = await anna.page.goto(f"{anna.portal}/clients")
    await anna.go("/integrations/progress")

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert hosts == {anna.portal.removeprefix("http://")}


async def test_who_is_signed_out_meanwhile_loses_nothing_of_what_they_typed(
    practice: Practice, sign_in
) -> None:
    """The open slide-out says so at once; after a new sign-in in another tab the same form is saved."""
    await practice.add_client("fir")
    anna = await sign_in(practice)
    await anna.go("/clients/fir")
    await anna.page.get_by_role("link", name="Record a person").click()
    await anna.slide_out.get_by_label("Name").fill("Finn Fir")
    other = Staff(await anna.page.context.new_page(), anna.portal, anna.name)
    await other.go("/clients")
    await other.page.get_by_role("button", name="Sign out").click()
    await expect(anna.slide_out).to_contain_text("You have been signed out", timeout=MS)

    async with anna.page.context.expect_page() as opened:
        await anna.slide_out.get_by_role("link", name="Sign in again").click()
    again = await opened.value
    await again.locator(f"form:has(input[value='anna@{practice.tenant_id}']) button").click()
    await expect(again.get_by_role("heading", name="fir")).to_be_visible()
    await anna.slide_out.get_by_role("button", name="Save").click()

    await anna.said("Finn Fir was recorded.")


async def test_a_page_that_is_open_when_its_session_ends_shows_nothing_more(
    practice: Practice, sign_in
) -> None:
    """It leads to the sign-in, and from there back to where it was."""
    await practice.add_client("fir")
    anna = await sign_in(practice)
    await anna.go("/clients/fir/review")
    other = await anna.page.context.new_page()
    await other.goto(f"{anna.portal}/clients")
    await other.get_by_role("button", name="Sign out").click()

    await expect(anna.page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=MS)
    await anna.page.locator(f"form:has(input[value='anna@{practice.tenant_id}']) button").click()
    await expect(anna.page).to_have_url(f"{anna.portal}/clients/fir/review")
