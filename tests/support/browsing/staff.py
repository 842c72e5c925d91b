"""A member of staff before the console: what they click and type, in the words of the screens."""

from dataclasses import dataclass
from urllib.parse import quote

from playwright.async_api import Locator, Page, expect

SECONDS = 20.0
MS = SECONDS * 1000


@dataclass(frozen=True, slots=True)
class Staff:
    """Somebody who has signed in, and the page before them."""

    page: Page
    portal: str
    name: str

    async def go(self, path: str) -> None:
        await self.page.goto(self.portal + path)

    @property
    def slide_out(self) -> Locator:
        return self.page.locator("#slide-out")

    def row(self, text: str) -> Locator:
        """The row of the list on the page that holds this text."""
        return self.page.locator("main [data-live] .row").filter(has_text=text)

    @property
    def email(self) -> Locator:
        """The field of the slide-out."""
        return self.slide_out.get_by_role("textbox", name="E-mail")

    async def ask_to_import(self, client: str) -> None:
        """Client list -> More actions -> Integration actions -> Xero Practice Manager -> Import items."""
        await self.go("/clients")
        await self.open_menu(client)
        await self.row(client).get_by_role("link", name="Import items").click()

    async def open_menu(self, client: str) -> None:
        """*More actions*, unfolded to its end."""
        await self.page.get_by_label(f"More actions for {client}").click()
        menu = self.row(client)
        await menu.get_by_text("Integration actions").click()
        await menu.get_by_text("Xero Practice Manager", exact=True).click()

    async def import_items(self, client: str) -> None:
        """The same, and through the warning to the confirmation."""
        await self.ask_to_import(client)
        await expect(self.slide_out).to_contain_text("the import replaces it")
        await self.slide_out.get_by_role("button", name="Continue").click()
        await expect(self.slide_out).to_contain_text("The import is in progress")

    async def follow_progress(self) -> None:
        """From the confirmation to the list of integration progress."""
        await self.slide_out.get_by_role("link", name="Review integration progress").click()
        await expect(self.page.get_by_role("heading", name="Integration progress")).to_be_visible()

    async def import_and_review(self, client: str) -> None:
        """All the way to the people that came through."""
        await self.import_items(client)
        await self.follow_progress()
        link = self.page.get_by_role("link", name=f"Review new items of {client}").first
        await expect(link).to_be_visible(timeout=MS)
        await link.click()
        await expect(self.page.get_by_role("heading", name="Review new items")).to_be_visible()

    async def review(self, client_id: str) -> None:
        await self.go(f"/clients/{quote(client_id, safe='')}/review")

    async def open_import(self, name: str, word: str = "Director") -> None:
        await self.page.get_by_role("link", name=f"Import {name}, {word}", exact=True).click()
        await expect(self.slide_out.get_by_role("button", name="Save and import")).to_be_visible()

    async def save_and_import(self) -> None:
        await self.slide_out.get_by_role("button", name="Save and import").click()

    async def ignore(self, name: str, word: str = "Director") -> None:
        await self.page.get_by_role("button", name=f"Ignore {name}, {word}", exact=True).click()

    async def open_link(self, name: str, word: str = "Director") -> None:
        await self.page.get_by_role("link", name=f"Link to existing: {name}, {word}", exact=True).click()
        await expect(self.slide_out.get_by_role("heading", name=f"Link {name}")).to_be_visible()

    async def said(self, sentence: str) -> None:
        """What the page has just said to everybody."""
        await expect(self.page.locator("#said")).to_contain_text(sentence, timeout=MS)

    async def sees(self, text: str) -> None:
        await expect(self.page.locator("main")).to_contain_text(text, timeout=MS)

    async def sees_no(self, text: str) -> None:
        await expect(self.page.locator("main")).not_to_contain_text(text, timeout=MS)
