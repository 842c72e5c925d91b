"""Two practices in one portal: neither learns anything of the other, whatever address is tried."""

import re
from urllib.parse import quote

from playwright.async_api import expect

from tests.support.browsing.serving import Served
from tests.support.browsing.staff import Staff
from tests.support.system import Practice

ITEM = "SELECT item_id FROM resolver.items WHERE client_id = 'oak'"
MEMBER = "SELECT member_id FROM resolver.members WHERE client_id = 'oak'"


async def statuses(staff: Staff, *paths: str) -> dict[str, int]:
    """How each address is answered to somebody who has signed in."""
    answers = {path: await staff.page.request.get(staff.portal + path) for path in paths}
    for path, answer in answers.items():
        assert "Ann" not in await answer.text(), path
    return {path: answer.status for path, answer in answers.items()}


async def test_another_practice_sees_nothing_of_it(
    muster: Served, practice: Practice, numbers, sign_in
) -> None:
    """Lists, pages, decisions and the API, by ids and addresses that are right and belong to somebody else."""
    await practice.client_of_xpm("oak", "Ann", "Anne")
    anna = await sign_in(practice)
    await anna.import_and_review("oak")
    await anna.open_import("Ann")
    await anna.save_and_import()
    await anna.said("Ann was imported.")
    (item, *_), (member, *_) = await practice.portal.read(ITEM), await practice.portal.read(MEMBER)
    import_id = (await practice.all_progress())[0]["row_id"]

    async with muster.system.practice(f"practice-{next(numbers)}") as other:
        ben = await sign_in(other, "ben")
        await ben.sees("There are no clients yet.")
        item_id, member_id = quote(item["item_id"]), quote(member["member_id"])
        foreign = [
            "/clients/oak",
            "/clients/oak/review",
            "/clients/oak/people/new",
            f"/items/{item_id}/import",
            f"/items/{item_id}/link",
            f"/people/{member_id}",
            f"/people/{member_id}/remove",
            "/api/clients/oak",
            "/api/clients/oak/members",
            "/api/clients/oak/items",
            f"/api/items/{item_id}",
            f"/api/members/{member_id}",
            f"/api/progress/import/{import_id}",
        ]
        assert set((await statuses(ben, *foreign)).values()) == {404}
        assert set((await statuses(ben, *(path.replace("oak", "none") for path in foreign))).values()) <= {
            404
        }
        await ben.go("/integrations/progress")
        await expect(ben.row("Import")).to_have_count(0)
        await decided_from_afar(ben, item["item_id"])

    await anna.review("oak")
    await expect(anna.page.locator("[data-item]")).to_have_count(1)


async def decided_from_afar(staff: Staff, item_id: str) -> None:
    """A decision on a foreign item, sent to the API with everything that is needed: as if there were no such item."""
    me = await (await staff.page.request.get(f"{staff.portal}/api/me")).json()
    answer = await staff.page.request.post(
        f"{staff.portal}/api/items/{quote(item_id)}/ignore?wait=8", headers={"X-CSRF-Token": me["csrf"]}
    )
    assert (await answer.json())["reason"] == "item_not_found"


async def test_nobody_gets_in_without_signing_in(muster: Served, browser) -> None:
    """Pages lead to the sign-in, the API says so."""
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{muster.address}/clients")
    await expect(page).to_have_url(re.compile(r"/sign-in$"))
    answer = await context.request.get(f"{muster.address}/api/clients")
    assert answer.status == 401
    await context.close()


async def test_another_sites_page_can_send_nothing(practice: Practice, sign_in) -> None:
    """A form without our token changes nothing, although the session comes with it."""
    anna = await sign_in(practice)
    answer = await anna.page.request.post(f"{anna.portal}/clients/new", form={"name": "Forged"})

    assert answer.status == 403
    await anna.go("/clients")
    await anna.sees("There are no clients yet.")


async def test_a_reader_can_change_nothing_by_any_address(practice: Practice, sign_in) -> None:
    """What is not offered is refused too."""
    rita = await sign_in(practice, "rita")
    me = await (await rita.page.request.get(f"{rita.portal}/api/me")).json()
    answer = await rita.page.request.post(
        f"{rita.portal}/clients/new", form={"name": "Oak", "csrf": me["csrf"]}
    )

    assert answer.status == 403
    assert "may look at everything" in await answer.text()
