"""Integration progress in the browser: live, with the reason and what to do, and one row for many."""

from playwright.async_api import expect

from stack.ports import free_port
from tests.support.browsing.serving import NOT_CONNECTED, Served, portal_process
from tests.support.browsing.staff import MS, Staff
from tests.support.processes import running
from tests.support.system import Practice

NOBODY = "00000000-0000-4000-8000-000000000000"


async def test_progress_arrives_without_a_reload(practice: Practice, sign_in) -> None:
    """Somebody who watches sees each step of what others do."""
    xpm_client_id = await practice.client_of_xpm("oak", "Ann", "Bob")
    anna = await sign_in(practice)
    await anna.go("/integrations/progress?kind=import")
    await anna.sees("Nothing of the past 72 hours matches.")

    import_id = await practice.request("oak", xpm_client_id)

    row = anna.page.locator(f"[data-row='import/{import_id}']")
    await expect(row).to_contain_text("Ready for review", timeout=MS)
    await expect(row).to_contain_text("2 to review")
    await expect(row.get_by_role("link", name="Review new items")).to_be_visible()


async def test_a_failed_import_says_why_and_can_be_asked_for_again(practice: Practice, sign_in) -> None:
    """The reason, what to do, and a way to do it; a retry is a new import."""
    await practice.add_client("oak", NOBODY)
    anna = await sign_in(practice)
    await anna.import_items("oak")
    await anna.follow_progress()
    await expect(anna.row("Failed")).to_contain_text("no longer has this client", timeout=MS)
    await expect(anna.row("Failed")).to_contain_text("Check that the client is still in the portal")

    await practice.xpm.add("oak", uuid=NOBODY)
    await anna.row("Failed").get_by_role("link", name="Import again: oak").click()
    await anna.slide_out.get_by_role("button", name="Continue").click()
    await anna.follow_progress()

    await expect(anna.row("Completed")).to_contain_text("oak", timeout=MS)
    await expect(anna.row("Failed")).to_have_count(1)


async def test_without_a_connection_an_import_says_where_to_connect(muster: Served, sign_in) -> None:
    """It fails with "not connected", and leads to Integrations."""
    async with muster.system.practice(NOT_CONNECTED) as practice:
        await practice.add_client("oak", NOBODY)
        anna = await sign_in(practice)
        await anna.import_items("oak")
        await anna.follow_progress()

        await expect(anna.row("Failed")).to_contain_text("Connect the practice", timeout=MS)
        await anna.row("Failed").get_by_role("link", name="Connect").click()
        await expect(anna.page.get_by_role("heading", name="Integrations")).to_be_visible()


async def test_a_wait_for_quota_is_shown_with_its_end_and_ends_by_itself(practice: Practice, sign_in) -> None:
    """*Waiting until*, why, and that there is nothing to do."""
    await practice.client_of_xpm("oak", "Ann")
    await practice.xpm.trouble("throttle", calls=1, seconds=4)
    anna = await sign_in(practice)
    await anna.import_items("oak")
    await anna.follow_progress()

    await expect(anna.row("Waiting")).to_contain_text(
        "limit per minute is used up: waiting until", timeout=MS
    )
    await expect(anna.row("Waiting")).to_contain_text("the import goes on by itself")
    await expect(anna.row("Ready for review")).to_contain_text("1 to review", timeout=MS)


async def test_several_clients_are_imported_at_once_in_one_row(practice: Practice, sign_in) -> None:
    """Selected in the list, summed up in progress, with each import under it."""
    for client in ("ash", "elm", "oak"):
        await practice.client_of_xpm(client, f"Ann {client}")
    await practice.add_client("fir")
    anna = await sign_in(practice)
    await expect(anna.page.get_by_role("button", name="Import items of selected")).to_be_disabled()
    await anna.page.get_by_label("Select all").check()
    await anna.page.get_by_role("button", name="Import items of selected (4)").click()
    await expect(anna.slide_out).to_contain_text("For 3 clients")
    await expect(anna.slide_out).to_contain_text("fir exists only in the portal")
    await anna.slide_out.get_by_role("button", name="Continue").click()
    await anna.follow_progress()

    bulk = anna.row("Import of several clients")
    await expect(bulk).to_contain_text("3 ready for review", timeout=MS)
    await expect(bulk).to_contain_text("3 to review")
    await bulk.get_by_text("The imports of each client").click()
    await expect(bulk.get_by_role("link", name="Review new items of elm")).to_be_visible()


async def test_a_client_that_is_only_in_the_portal_is_refused_early(practice: Practice, sign_in) -> None:
    """The slide-out says so, and offers nothing to continue with."""
    await practice.add_client("oak")
    anna = await sign_in(practice)
    await anna.ask_to_import("oak")

    await expect(anna.slide_out).to_contain_text("oak exists only in the portal")
    await expect(anna.slide_out.get_by_role("button", name="Continue")).to_have_count(0)


async def test_the_list_can_be_narrowed(practice: Practice, sign_in) -> None:
    """By what it is and how it stands; what is shown goes on being live."""
    await practice.client_of_xpm("oak", "Ann")
    anna = await sign_in(practice)
    await anna.go("/integrations/progress")
    await expect(anna.row("Connection")).to_have_count(1)
    await anna.page.get_by_label("What").select_option(label="Client added from XPM")
    await anna.page.get_by_role("button", name="Apply").click()

    await expect(anna.row("Client added from XPM")).to_have_count(1)
    await expect(anna.row("Connection")).to_have_count(0)
    await practice.client_of_xpm("elm", "Bob")
    await expect(anna.row("Client added from XPM")).to_have_count(2, timeout=MS)


async def test_a_list_that_can_not_be_had_is_asked_for_again(practice: Practice, sign_in) -> None:
    """The page says that it is not live, keeps what it has, and follows again by itself."""
    anna = await sign_in(practice)
    await anna.go("/integrations/progress")
    await expect(anna.row("Connection")).to_have_count(1)
    await anna.page.route("**/integrations/progress?list*", lambda route: route.fulfill(status=503))
    await practice.add_client("elm", NOBODY)
    await anna.sees("Reconnecting")
    await expect(anna.row("Connection")).to_have_count(1)
    await anna.page.unroute("**/integrations/progress?list*")

    await expect(anna.row("Client added from XPM")).to_have_count(1, timeout=MS)
    await expect(anna.page.locator("[data-live-words]")).to_have_text("Live")


async def test_without_notifier_and_importer_pages_say_what_is_missing(
    muster: Served, practice: Practice, browser, tmp_path
) -> None:
    """The rest of each page is there, and of the console too."""
    nobody = f"http://127.0.0.1:{free_port()}"
    portal = portal_process(
        muster.system, tmp_path, "portal-alone", MUSTER_NOTIFIER_URL=nobody, MUSTER_IMPORTER_URL=nobody
    )
    async with running(portal):
        context = await browser.new_context()
        anna = Staff(await context.new_page(), portal.address, "Anna")
        await anna.go("/integrations/progress")
        await anna.page.locator(f"form:has(input[value='anna@{practice.tenant_id}']) button").click()
        await anna.sees("Integration progress can't be read at the moment")
        await anna.page.get_by_role("link", name="Connections").click()
        await anna.sees("Xero Practice Manager can't be reached at the moment")
        await anna.go("/clients")
        await anna.sees("There are no clients yet.")
        await context.close()
