"""The journey from its beginning: a practice that was never connected, its client from XPM, and two imports."""

from playwright.async_api import expect

from sandbox import harbour
from tests.support.browsing.serving import Served
from tests.support.browsing.staff import MS, Staff

NORTHLIGHT = "Northlight Joinery Pty Ltd"
HOLDINGS = "Ellison Holdings Pty Ltd ATF Ellison Family Trust"


async def begin_to_connect(staff: Staff) -> None:
    """From Configure -> Integrations to the page on which Xero asks."""
    await staff.go("/integrations")
    await staff.sees("Not connected")
    await staff.page.get_by_role("button", name="Connect to Xero Practice Manager").click()
    await expect(staff.page.get_by_role("heading", name="wants access")).to_be_visible()


async def consent(staff: Staff, *practices: str) -> None:
    """Tick these practices and no other, and allow it."""
    for box in await staff.page.get_by_role("checkbox", checked=True).all():
        await box.uncheck()
    for practice in practices:
        await staff.page.get_by_role("checkbox", name=practice, exact=True).check()
    await staff.page.get_by_role("button", name="Allow access").click()


async def test_the_whole_journey_from_the_consent_to_the_second_import(muster: Served, sign_in) -> None:
    """Connect, add from XPM, import, review with all three decisions; then only what was ignored comes again."""
    async with muster.system.practice("new-practice") as practice:
        anna = await sign_in(practice)
        await begin_to_connect(anna)
        await consent(anna, harbour.NAME)
        await anna.sees("The practice is connected.")
        await anna.sees(harbour.NAME)

        await add_a_client_with_an_account(anna)
        await add_from_xpm(anna)
        await record_tom(anna)
        await anna.import_and_review(NORTHLIGHT)
        await anna.sees("6 people came through")
        await import_mara_as_co_owner(anna)
        await link_tomas(anna)
        await ignore_two(anna)
        await anna.open_import(HOLDINGS, "Shareholder")
        await anna.save_and_import()
        await anna.sees("All people have been dealt with.")

        await anna.page.get_by_role("link", name=f"See the people of {NORTHLIGHT}").click()
        await expect(anna.row("Mara Ellison")).to_contain_text("Account co-owner")
        await expect(anna.row("Ellison, Tomas")).to_contain_text("Linked to XPM")
        await expect(anna.row(HOLDINGS)).to_contain_text("Imported from XPM")

        await anna.import_and_review(NORTHLIGHT)
        await anna.sees("2 people came through")
        for name in ("Wren & Co Auditors", "D'Arcy Okafor"):
            await expect(anna.row(name)).to_contain_text("Ignored before")
        await anna.sees_no("Mara Ellison")

        await disconnect(anna)


async def add_a_client_with_an_account(anna: Staff) -> None:
    """A client that is only in the portal, whose owner signs in with Mara's e-mail."""
    await anna.go("/clients")
    await anna.page.get_by_role("link", name="Add by hand").click()
    await anna.slide_out.get_by_label("Name").fill("Pier Street Pottery")
    await anna.slide_out.get_by_label("Account e-mail").fill("mara@northlight.example")
    await anna.slide_out.get_by_role("button", name="Add client").click()
    await anna.said("Pier Street Pottery was added.")


async def add_from_xpm(anna: Staff) -> None:
    """Search the practice's clients in XPM, and pick one."""
    await anna.page.get_by_role("link", name="Add from XPM").click()
    await anna.slide_out.get_by_role("searchbox").fill("northlight")
    await anna.slide_out.get_by_role("button", name="Search").click()
    await anna.slide_out.get_by_role("button", name=f"Add {NORTHLIGHT}").click(timeout=MS)
    await anna.said(f"{NORTHLIGHT} was added from Xero Practice Manager.")
    await expect(anna.row(NORTHLIGHT)).to_contain_text("Linked to XPM")


async def record_tom(anna: Staff) -> None:
    await anna.page.get_by_role("link", name=NORTHLIGHT, exact=True).click()
    await anna.page.get_by_role("link", name="Record a person").click()
    await anna.slide_out.get_by_label("Name").fill("Tom Ellison")
    await anna.slide_out.get_by_label("Phone").fill("0400 000 000")
    await anna.slide_out.get_by_role("button", name="Save").click()
    await anna.said("Tom Ellison was recorded.")


async def import_mara_as_co_owner(anna: Staff) -> None:
    """With the e-mail that XPM has, which is taken; then with one that is free."""
    await anna.open_import("Mara Ellison", "Director")
    await anna.slide_out.get_by_label("Import as account co-owner").check()
    await expect(anna.slide_out).to_contain_text("Taken: the account of Pier Street Pottery")
    await anna.save_and_import()
    await expect(anna.slide_out).to_contain_text("Another account co-owner of the practice has this e-mail.")
    await anna.email.fill("mara.ellison@northlight.example")
    await anna.save_and_import()
    await anna.said("Mara Ellison was imported.")
    await expect(anna.row("Mara Ellison")).to_have_count(0)  # the shareholder is the same person


async def link_tomas(anna: Staff) -> None:
    await anna.open_link("Ellison, Tomas")
    await anna.slide_out.get_by_label("Person of this client").select_option(label="Tom Ellison")
    await expect(anna.slide_out.get_by_role("row", name="Phone 0400 000 000 0491 570 111")).to_be_visible()
    await anna.slide_out.get_by_role("button", name="Replace and link").click()
    await anna.said("Ellison, Tomas was linked.")


async def ignore_two(anna: Staff) -> None:
    await anna.page.get_by_label("Select Wren & Co Auditors, Auditor").check()
    await anna.page.get_by_label("Select D'Arcy Okafor, Public Officer").check()
    await anna.page.get_by_role("button", name="Ignore selected items (2)").click()
    await anna.said("2 ignored.")


async def disconnect(anna: Staff) -> None:
    """And progress tells that, and that the practice was connected, and who did it."""
    await anna.go("/integrations")
    await anna.page.get_by_role("link", name="Disconnect").click()
    await anna.slide_out.get_by_role("button", name="Disconnect").click()
    await anna.said("The practice is no longer connected")
    await anna.sees("Not connected")
    await anna.go("/integrations/progress?kind=connection")
    await expect(anna.row("Connection")).to_have_count(2, timeout=MS)
    await expect(anna.row("Disconnected")).to_contain_text("Anna Lindqvist")


async def test_who_does_not_consent_is_told_so(muster: Served, sign_in) -> None:
    """The practice stays as it was."""
    async with muster.system.practice("of-two-minds") as practice:
        anna = await sign_in(practice)
        await begin_to_connect(anna)
        await anna.page.get_by_role("button", name="Cancel").click()

        await anna.sees("The consent was not given")
        await expect(anna.page.get_by_role("button", name="Connect to Xero Practice Manager")).to_be_visible()


async def be_offered_the_first_two(staff: Staff) -> list[str]:
    """Consent for two practices, which leaves a choice; the names of all that the sign-in reaches."""
    await begin_to_connect(staff)
    names = [
        name.strip() for name in await staff.page.get_by_role("group").locator("label").all_inner_texts()
    ]
    await consent(staff, *names[:2])
    await staff.sees("Which one is this?")
    return names


async def test_one_of_several_practices_is_chosen(muster: Served, sign_in) -> None:
    """A sign-in that reaches two has to say which of them this is."""
    async with muster.system.practice("of-two-practices") as practice:
        anna = await sign_in(practice)
        names = await be_offered_the_first_two(anna)
        await anna.page.get_by_role("button", name=names[1]).click()

        await anna.sees("The practice is connected.")
        await anna.sees(names[1])


async def test_who_is_offered_the_wrong_practices_signs_in_again(muster: Served, sign_in) -> None:
    """Somebody's own sign-in at Xero reached others' practices; the next one, which reaches one, connects it."""
    async with muster.system.practice("of-another-sign-in") as practice:
        anna = await sign_in(practice)
        names = await be_offered_the_first_two(anna)
        await anna.page.get_by_role("button", name="None of these: sign in at Xero again").click()
        await anna.page.get_by_label("Signed in as").fill("the.right.one@x.example")
        await consent(anna, names[2])

        await anna.sees("The practice is connected.")
        await anna.sees(names[2])
        await anna.sees_no("Which one is this?")


async def test_a_consent_counts_only_in_the_browser_that_asked_for_it(muster: Served, sign_in) -> None:
    """Anna's address is sent to Ben of another practice, who allows it: neither practice is connected by that."""
    async with (
        muster.system.practice("of-two-minds") as hers,
        muster.system.practice("lured") as his,
    ):
        anna, ben = await sign_in(hers), await sign_in(his)
        await begin_to_connect(anna)
        await ben.page.goto(anna.page.url)
        await consent(ben, harbour.NAME)
        await ben.sees("This attempt was begun in another browser, or by somebody else")
        await ben.sees("Not connected")
        await anna.go("/integrations")
        await anna.sees("Not connected")


async def test_who_has_signed_out_meanwhile_begins_again(muster: Served, sign_in) -> None:
    """The next person at this browser does not complete what somebody else has begun."""
    async with muster.system.practice("of-two-shifts") as practice:
        anna = await sign_in(practice)
        await begin_to_connect(anna)
        await anna.page.context.clear_cookies()
        await consent(anna, harbour.NAME)
        await expect(anna.page.get_by_role("heading", name="Sign in")).to_be_visible()
        await anna.page.locator(f"form:has(input[value='anna@{practice.tenant_id}']) button").click()
        await anna.go("/integrations")
        await anna.sees("Not connected")
