"""Every screen of the console in every state, one after the other, for whoever wants to look at each.

Somebody's whole day: clients, imports, progress, review, people, the connection, what goes wrong.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from playwright.async_api import Page, expect

from schemas.people import AmendedClient, AmendedPerson
from schemas.portal import ClientAdded, MemberRecorded
from tests.support.browsing.staff import MS, Staff
from tests.support.system import STAFF, Practice

Look = Callable[[Page, str], Awaitable[None]]

OAK, FIR, ELM, ASH = (
    "Oakfield Joinery Pty Ltd",
    "Fir & Daughters",
    "Elmwood Family Trust",
    "Ashgrove Dental",
)
NOT_IN_XPM = "00000000-0000-4000-8000-000000000000"
LONG = "The Trustee for the Extraordinarily Long-Winded Wetherby-Fotheringham Superannuation Fund No. 2"
HEBREW = "דנה לוי"
ACCENTS = "Zoë Ōkubo-O’Brien"  # noqa: RUF001 - as people are called
PEOPLE: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "Ann Oakfield": (
        "Director",
        {
            "Email": "ann@oakfield.example",
            "Phone": "0491 570 110",
            "DateOfBirth": "1978-04-09",
            "Address": "Unit 4, The Old Sawmill\n18 Quarry Lane",
            "City": "Fernleigh",
            "Region": "NSW",
            "PostCode": "2999",
        },
    ),
    "Ben Oakfield": ("Shareholder", {"Email": "ben@oakfield.example", "Phone": "0491 570 156"}),
    "Cora Lind": ("Company Secretary", {"Phone": "0491 570 157"}),
    LONG: ("Shareholder", {"Email": "trustee@wetherby-fotheringham-superannuation.example"}),
    HEBREW: ("Beneficiary", {"Email": "dana@oakfield.example"}),
    ACCENTS: ("Public Officer", {"Phone": "0491 570 158"}),
}


@dataclass(frozen=True, slots=True)
class Tour:
    """Somebody of the practice, and what is done with each screen that they come to."""

    anna: Staff
    practice: Practice
    look: Look

    async def see(self, name: str) -> None:
        await self.look(self.anna.page, name)

    async def see_at(self, path: str, name: str) -> None:
        await self.anna.go(path)
        await self.see(name)


async def furnish(practice: Practice) -> None:
    """A practice with everything that screens can show."""
    oak = await practice.xpm.add(OAK, Email="office@oakfield.example", Phone="(02) 5550 0140")
    for name, (word, details) in PEOPLE.items():
        await practice.xpm.relate(oak, await practice.xpm.add(name, **details), name, word)
    elm = await practice.xpm.add(ELM)
    await practice.xpm.relate(elm, await practice.xpm.add("Edda Elm"), "Edda Elm", "Trustee")
    await practice.xpm.add("Oakfield Superannuation Fund")
    await add(practice, "oak", OAK, oak, account_email="office@oakfield.example")
    await add(practice, "elm", ELM, elm)
    await add(practice, "ash", ASH, NOT_IN_XPM)
    await add(practice, "fir", FIR)
    await record(practice, "oak", "Benny Oakfield", phone="0400 000 000", relationship="Shareholder")


async def add(practice: Practice, client_id: str, name: str, xpm: str | None = None, **more: str) -> None:
    """A client under its name."""
    linked = {"xpm_client_id": xpm} if xpm else {}
    data = ClientAdded(
        client_id=client_id, added_by=STAFF, personal=AmendedClient(name=name, **more), **linked
    )
    assert (await practice.portal.tell(data, f"clients/{client_id}")).result == "applied"


async def record(practice: Practice, client_id: str, name: str, relationship: str, **details: str) -> None:
    """Somebody who is in the portal already."""
    data = MemberRecorded(
        member_id=f"{client_id}-{name}".replace(" ", "-"),
        client_id=client_id,
        relationship=relationship,
        recorded_by=STAFF,
        personal=AmendedPerson(name=name, **details),
    )
    assert (await practice.portal.tell(data, f"members/{data.member_id}")).result == "applied"


async def tour(staff: Staff, practice: Practice, look: Look) -> None:
    """Go everywhere; the practice has to be furnished, and is another afterwards."""
    visit = Tour(staff, practice, look)
    await clients(visit)
    await importing(visit)
    await reviewing(visit)
    await people(visit)
    await trouble(visit)
    await leaving(visit)


async def clients(visit: Tour) -> None:
    """The list, its menu, and what adds to it."""
    anna, page = visit.anna, visit.anna.page
    await visit.see_at("/clients", "clients")
    await anna.open_menu(OAK)
    await visit.see("menu")
    await visit.see_at("/clients?search=nobody", "clients-none-found")
    await anna.go("/clients")
    await page.get_by_role("link", name="Add from XPM").click()
    await expect(anna.slide_out.get_by_role("searchbox")).to_be_visible()
    await visit.see("add-from-xpm")
    await anna.slide_out.get_by_role("searchbox").fill("oakfield")
    await anna.slide_out.get_by_role("button", name="Search").click()
    present = anna.slide_out.get_by_role("link", name=f"{OAK} is in the portal already")
    await expect(present).to_be_visible(timeout=MS)
    await visit.see("add-from-xpm-found")
    await page.keyboard.press("Escape")
    await page.get_by_role("link", name="Add by hand").click()
    await expect(anna.slide_out.get_by_label("Account e-mail")).to_be_visible()
    await visit.see("add-by-hand")
    await anna.slide_out.get_by_label("Name").fill("Oakfield Two")
    await anna.slide_out.get_by_label("Account e-mail").fill("office@oakfield.example")
    await anna.slide_out.get_by_role("button", name="Add client").click()
    await expect(anna.slide_out.get_by_role("alert")).to_be_visible(timeout=MS)
    await visit.see("add-by-hand-refused")


async def importing(visit: Tour) -> None:
    """Of one, of several, of none; and the list in which they are followed."""
    anna, page = visit.anna, visit.anna.page
    await visit.see_at("/integrations/progress?kind=bulk_import", "progress-none-matches")
    await anna.ask_to_import(OAK)
    await expect(anna.slide_out.get_by_role("button", name="Continue")).to_be_visible()
    await visit.see("import-items")
    await anna.slide_out.get_by_role("button", name="Continue").click()
    await expect(anna.slide_out).to_contain_text("The import is in progress")
    await visit.see("import-in-progress")
    await anna.ask_to_import(FIR)
    await expect(anna.slide_out).to_contain_text("only in the portal")
    await visit.see("import-items-of-the-portal-only")
    await anna.go("/clients")
    for name in (ELM, ASH, FIR):
        await page.get_by_label(f"Select {name}").check()
    await page.get_by_role("button", name="Import items of selected (3)").click()
    await expect(anna.slide_out).to_contain_text("For 2 clients")
    await visit.see("import-items-of-several")
    await anna.slide_out.get_by_role("button", name="Continue").click()
    await anna.follow_progress()
    await expect(anna.row("Failed").first).to_be_visible(timeout=MS)
    await expect(anna.row(OAK).first).to_contain_text("6 to review", timeout=MS)
    await page.get_by_text("The imports of each client").click()
    await expect(anna.row("no longer has this client").first).to_be_visible(timeout=MS)
    await visit.practice.xpm.trouble("throttle", calls=1, seconds=6)
    (elm,) = await visit.practice.portal.read(
        "SELECT xpm_client_id FROM resolver.clients WHERE client_id = 'elm'"
    )
    await visit.practice.request("elm", elm["xpm_client_id"])
    await expect(anna.row("Waiting").first).to_be_visible(timeout=MS)
    await visit.see("progress")


async def reviewing(visit: Tour) -> None:
    """The three decisions, and what may come between."""
    anna, page = visit.anna, visit.anna.page
    await anna.review("oak")
    await anna.sees("6 people came through")
    await visit.see("review")
    await anna.open_import("Ann Oakfield")
    await visit.see("import")
    await anna.slide_out.get_by_label("Import as account co-owner").check()
    await anna.email.fill("office@oakfield.example")
    await expect(anna.slide_out).to_contain_text("Taken: the account of")
    await visit.see("import-as-co-owner")
    await anna.save_and_import()
    await expect(anna.slide_out.get_by_role("alert")).to_be_visible(timeout=MS)
    await visit.see("import-refused")
    await anna.slide_out.get_by_label("Name").fill("Ann B. Oakfield")
    await anna.email.fill("ann@oakfield.example")
    await anna.save_and_import()
    await anna.said("Ann B. Oakfield was imported.")
    await anna.open_link("Ben Oakfield", "Shareholder")
    await visit.see("link")
    await anna.slide_out.get_by_label("Person of this client").select_option(index=1)
    await expect(anna.slide_out.get_by_role("table")).to_be_visible()
    await visit.see("link-preview")
    await anna.slide_out.get_by_role("button", name="Replace and link").click()
    await anna.said("Ben Oakfield was linked.")
    await somebody_is_faster(visit)
    await page.get_by_label("Select all").check()
    await visit.see("review-selected")
    await page.get_by_role("button", name="Ignore selected items (3)").click()
    await anna.sees("All people have been dealt with.")
    await visit.see("all-dealt-with")
    await visit.see_at("/clients/fir/review", "nothing-to-review")


async def somebody_is_faster(visit: Tour) -> None:
    """Another page decides while a slide-out is open."""
    anna = visit.anna
    other = await anna.page.context.new_page()
    await anna.open_import("Cora Lind", "Company Secretary")
    elsewhere = Staff(other, anna.portal, anna.name)
    await elsewhere.review("oak")
    await elsewhere.ignore("Cora Lind", "Company Secretary")
    await elsewhere.said("Cora Lind was ignored.")
    await other.close()
    await anna.save_and_import()
    await expect(anna.slide_out).to_contain_text("Somebody was faster", timeout=MS)
    await visit.see("somebody-was-faster")
    await anna.page.keyboard.press("Escape")


async def people(visit: Tour) -> None:
    """Of a client, after another import has brought something new."""
    anna, page = visit.anna, visit.anna.page
    await visit.practice.xpm.amend("Ben Oakfield", Phone="0491 570 999")
    await anna.import_items(OAK)
    await anna.go("/clients/oak")
    await expect(anna.row("Ben Oakfield")).to_contain_text("0491 570 999", timeout=MS)
    await anna.sees("What imports replaced")
    await visit.see("people")
    await page.get_by_role("link", name="Edit Ann B. Oakfield").click()
    await expect(anna.slide_out.get_by_role("button", name="Save")).to_be_visible()
    await visit.see("edit-person")
    await page.keyboard.press("Escape")
    await page.get_by_role("link", name="Remove Ann B. Oakfield").click()
    await expect(anna.slide_out.get_by_role("button", name="Remove")).to_be_visible()
    await visit.see("remove-person")
    await page.keyboard.press("Escape")
    await page.get_by_role("link", name="Record a person").click()
    await expect(anna.slide_out.get_by_role("button", name="Save")).to_be_visible()
    await visit.see("record-person")
    await visit.see_at("/clients/fir", "no-people")


async def trouble(visit: Tour) -> None:
    """The connection, and what can't be shown."""
    await visit.see_at("/integrations", "connected")
    await visit.see_at("/integrations?connection=connected", "just-connected")
    await visit.see_at("/integrations?connection=failed&reason=access_denied", "connecting-failed")
    await visit.see_at("/integrations/disconnect", "disconnect")
    await visit.see_at("/nowhere", "not-here")
    await visit.see_at("/imports/new", "nothing-selected")


async def leaving(visit: Tour) -> None:
    """Signed out elsewhere while a slide-out is open, and the sign-in."""
    anna, page = visit.anna, visit.anna.page
    await anna.go("/clients/fir")
    await page.get_by_role("link", name="Record a person").click()
    await anna.slide_out.get_by_label("Name").fill("Finn Fir")
    other = await page.context.new_page()
    await other.goto(f"{anna.portal}/clients")
    await other.get_by_role("button", name="Sign out").click()
    await expect(anna.slide_out).to_contain_text("You have been signed out", timeout=MS)
    await visit.see("signed-out-meanwhile")
    await other.close()
    await visit.see_at("/sign-in", "sign-in")
