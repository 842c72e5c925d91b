"""Review in the browser: import, ignore, link, and what is said when a rule refuses."""

from urllib.parse import quote

from playwright.async_api import expect

from schemas.people import AmendedPerson
from schemas.portal import MemberRecorded
from tests.support.system import STAFF, Practice


async def record(practice: Practice, client_id: str, name: str, **details: str) -> None:
    """Somebody who is in the portal already."""
    data = MemberRecorded(
        member_id=f"{client_id}-{name}".replace(" ", "-"),
        client_id=client_id,
        recorded_by=STAFF,
        personal=AmendedPerson(name=name, **details),
    )
    outcome = await practice.portal.tell(data, f"clients/{client_id}")
    assert outcome.result == "applied"


async def test_three_decisions_clear_the_list(practice, sign_in) -> None:
    """Import, ignore, link to existing; then all people have been dealt with, and are under the client."""
    await practice.client_of_xpm("Oak/Farm", "Ann Oak", "Bob Oak", "Cy Oak")
    await record(practice, "Oak/Farm", "Bobby Oak", phone="0400 000 000")
    anna = await sign_in(practice)

    await anna.import_and_review("Oak/Farm")
    await anna.open_import("Ann Oak")
    await anna.slide_out.get_by_label("Name").fill("Ann B. Oak")
    await anna.save_and_import()
    await anna.said("Ann B. Oak was imported.")
    await anna.ignore("Cy Oak")
    await anna.said("Cy Oak was ignored.")
    await anna.open_link("Bob Oak")
    await anna.slide_out.get_by_label("Person of this client").select_option(label="Bobby Oak")
    preview = anna.slide_out.get_by_role("table")
    await expect(preview.get_by_role("row", name="Name Bobby Oak Bob Oak")).to_be_visible()
    await expect(preview.get_by_role("row", name="Phone 0400 000 000 0400 000 000")).to_be_visible()
    await anna.slide_out.get_by_role("button", name="Replace and link").click()
    await anna.said("Bob Oak was linked.")
    await anna.sees("All people have been dealt with.")

    await anna.page.get_by_role("link", name="See the people of Oak/Farm").click()
    await expect(anna.row("Ann B. Oak")).to_contain_text("Imported from XPM by Anna Lindqvist")
    await expect(anna.row("Ann B. Oak")).to_contain_text("XPM has “Ann Oak”")
    await expect(anna.row("Bob Oak")).to_contain_text("Linked to XPM by Anna Lindqvist")
    await anna.sees_no("Cy Oak")


async def test_many_are_ignored_at_once(practice, sign_in) -> None:
    """Checkboxes, and Ignore selected items."""
    await practice.client_of_xpm("Oak/Farm", "Ann Oak", "Bob Oak", "Cy Oak")
    anna = await sign_in(practice)

    await anna.import_and_review("Oak/Farm")
    button = anna.page.get_by_role("button", name="Ignore selected items")
    await expect(button).to_be_disabled()
    await anna.page.get_by_label("Select Ann Oak, Director").check()
    await anna.page.get_by_label("Select Cy Oak, Director").check()
    await button.click()

    await anna.said("2 ignored.")
    await anna.sees_no("Ann Oak")
    await anna.sees("1 person came through")


async def test_a_co_owner_needs_an_e_mail_of_their_own(practice, sign_in) -> None:
    """Said while typing, said again when it is saved, and accepted with another one."""
    await practice.client_of_xpm("Oak/Farm", "Ann Oak")
    await practice.client_of_xpm("Elm/Farm", "Ann Elm")
    anna = await sign_in(practice)
    await anna.import_and_review("Elm/Farm")
    await anna.open_import("Ann Elm")
    await anna.email.fill("ann@farm.example")
    await anna.slide_out.get_by_label("Import as account co-owner").check()
    await anna.save_and_import()
    await anna.sees("All people have been dealt with.")

    await anna.import_and_review("Oak/Farm")
    await anna.open_import("Ann Oak")
    await anna.slide_out.get_by_label("Import as account co-owner").check()
    await anna.email.press_sequentially("Ann@Farm.example")
    await expect(anna.slide_out).to_contain_text("Taken: Ann Elm, co-owner of Elm/Farm")
    await anna.save_and_import()
    await expect(anna.slide_out).to_contain_text("Another account co-owner of the practice has this e-mail.")
    await anna.email.fill("ann.oak@farm.example")
    await expect(anna.slide_out).to_contain_text("No other co-owner has this e-mail.")
    await anna.save_and_import()

    await anna.said("Ann Oak was imported.")
    await anna.go("/clients/Oak%2FFarm")
    await expect(anna.row("Ann Oak")).to_contain_text("Account co-owner")


async def test_two_reviewers_see_each_other_at_once(practice, sign_in) -> None:
    """What one decides leaves the other's list within a second; who comes second is told who was first."""
    await practice.client_of_xpm("Oak/Farm", "Ann Oak", "Bob Oak")
    anna, ben = await sign_in(practice), await sign_in(practice, "ben")
    await anna.import_and_review("Oak/Farm")
    await ben.review("Oak/Farm")
    await ben.open_import("Ann Oak")

    await anna.ignore("Ann Oak")
    await expect(ben.row("Ann Oak")).to_have_count(0, timeout=1000)
    await ben.save_and_import()

    await expect(ben.slide_out).to_contain_text("Ann Oak (Director) was ignored by Anna Lindqvist")


async def test_what_changed_meanwhile_is_shown_before_anything_is_decided(practice, sign_in) -> None:
    """An import that brought other details refuses the decision, shows what is new, and keeps what was typed."""
    await practice.client_of_xpm("Oak/Farm", "Ann Oak")
    anna, ben = await sign_in(practice), await sign_in(practice, "ben")
    await anna.import_and_review("Oak/Farm")
    await anna.open_import("Ann Oak")
    await anna.slide_out.get_by_label("Name").fill("Ann B. Oak")

    await practice.xpm.amend("Ann Oak", Email="ann@oak.example")
    await ben.import_and_review("Oak/Farm")
    await expect(ben.row("Ann Oak")).to_contain_text("ann@oak.example")
    await anna.save_and_import()

    await expect(anna.slide_out).to_contain_text("The details have changed since you looked")
    await expect(anna.slide_out).to_contain_text("E-mail: nothing → ann@oak.example")
    await expect(anna.slide_out.get_by_label("Name")).to_have_value("Ann B. Oak")
    await anna.save_and_import()
    await anna.said("Ann B. Oak was imported.")


async def test_who_may_only_look_is_offered_nothing_to_change(practice, sign_in) -> None:
    """A reader sees the list and no button."""
    await practice.client_of_xpm("Oak/Farm", "Ann Oak")
    anna, rita = await sign_in(practice), await sign_in(practice, "rita")
    await anna.import_and_review("Oak/Farm")
    await rita.review("Oak/Farm")

    await rita.sees("Ann Oak")
    await expect(rita.page.get_by_role("link", name="Import Ann Oak")).to_have_count(0)
    await expect(rita.page.get_by_role("button", name="Ignore")).to_have_count(0)
    (item,) = await practice.portal.read("SELECT item_id FROM resolver.items")
    for path in (f"/items/{quote(item['item_id'], safe='')}/import", "/clients/new", "/clients/from-xpm"):
        await rita.go(path)
        await rita.sees("You may look at everything, but not change or decide anything.")


async def test_an_address_of_several_lines_comes_through_as_it_is(practice, sign_in) -> None:
    """In one line with commas in lists; in the form with its lines, and untouched it is XPM's and not staff's own."""
    address = {"Address": "Unit 4, The Old Sawmill\n18 Quarry Lane", "City": "Fernleigh"}
    oak = await practice.xpm.add("Oak/Farm")
    await practice.xpm.relate(oak, await practice.xpm.add("Ann Oak", **address), "Ann Oak")
    await practice.add_client("Oak/Farm", oak)
    anna = await sign_in(practice)
    await anna.import_and_review("Oak/Farm")
    await expect(anna.row("Ann Oak")).to_contain_text("Unit 4, The Old Sawmill, 18 Quarry Lane, Fernleigh")
    await anna.open_import("Ann Oak")
    await anna.slide_out.get_by_label("Name").fill("Ann B. Oak")
    await anna.save_and_import()
    await anna.said("Ann B. Oak was imported.")

    (member,) = await practice.portal.read("SELECT details, provenance FROM resolver.members")
    assert member["details"]["address"] == "Unit 4, The Old Sawmill\n18 Quarry Lane\nFernleigh"
    assert member["provenance"]["address"]["by"] == "xpm"


async def test_saving_a_person_leaves_alone_what_another_has_changed_meanwhile(practice, sign_in) -> None:
    """Only what was changed in the form is told, the co-owner's box included."""
    await practice.add_client("oak")
    await record(practice, "oak", "Ann Oak", email="ann@oak.example", phone="1")
    anna, ben = await sign_in(practice), await sign_in(practice, "ben")
    for staff in (anna, ben):
        await staff.go("/clients/oak")
        await staff.page.get_by_role("link", name="Edit Ann Oak").click()
    await anna.slide_out.get_by_label("Account co-owner").check()
    await anna.slide_out.get_by_role("button", name="Save").click()
    await anna.said("Ann Oak was saved.")
    await ben.slide_out.get_by_label("Phone").fill("2")
    await ben.slide_out.get_by_role("button", name="Save").click()
    await ben.said("Ann Oak was saved.")

    await expect(ben.row("Ann Oak")).to_contain_text("Account co-owner")
    await expect(ben.row("Ann Oak")).to_contain_text("2")


async def test_the_end_of_the_list_is_not_taken_for_the_end_of_the_work(practice, sign_in) -> None:
    """A further page whose people were dealt with meanwhile says that others wait at the beginning."""
    await practice.client_of_xpm("oak", "Ann Oak")
    anna = await sign_in(practice)
    await anna.import_and_review("oak")
    await anna.go("/clients/oak/review?after=zoe&after_id=z")
    await anna.sees("There is nobody further down the list.")
    await anna.sees_no("All people have been dealt with.")
    await anna.page.get_by_role("link", name="1 person from the beginning").click()

    await anna.sees("Ann Oak")


async def test_a_link_shows_what_changed_of_the_person_meanwhile(practice, sign_in) -> None:
    """Refused, with the difference and the preview as it is now; then it is linked."""
    await practice.client_of_xpm("oak", "Ann Oak")
    await record(practice, "oak", "Annie Oak", phone="1")
    anna = await sign_in(practice)
    await anna.import_and_review("oak")
    await anna.open_link("Ann Oak")
    await anna.slide_out.get_by_label("Person of this client").select_option(label="Annie Oak")
    await expect(anna.slide_out.get_by_role("table")).to_be_visible()
    await record(practice, "oak", "Annie Oak", phone="2")
    await anna.slide_out.get_by_role("button", name="Replace and link").click()

    await expect(anna.slide_out).to_contain_text("The details have changed since you looked")
    await expect(anna.slide_out.get_by_role("alert")).to_contain_text("Phone: 1 → 2")
    await expect(anna.slide_out.get_by_role("row", name="Phone 2 2")).to_be_visible()
    await anna.slide_out.get_by_role("button", name="Replace and link").click()
    await anna.said("Ann Oak was linked.")
