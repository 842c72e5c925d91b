"""The pages on which a person changes a practice, with forms sent as a browser sends them."""

from urllib.parse import urljoin

import httpx
import pytest
from lxml import html

from sandbox import harbour
from sandbox.chance import made_up_uuid
from sandbox.dialect import Dialect
from services.importer.xpm.errors import ClientNotFound, SourceUnavailable

NORTHLIGHT, MARA, SALTGRASS = (
    f"{harbour.TENANT_ID}/{uuid}" for uuid in (harbour.NORTHLIGHT, harbour.MARA, harbour.SALTGRASS)
)


class Browser:
    """Reads pages and sends their forms, with the fields that they have."""

    def __init__(self, http: httpx.AsyncClient, base: str) -> None:
        self._http, self._base = http, f"{base}/sandbox/pages/"
        self.status = 0
        self.page = html.Element("html")

    async def open(self, path: str = "", **query: str) -> "Browser":
        self._take(await self._http.get(self._base + path, params=query, follow_redirects=True))
        return self

    async def send(self, action: str, button: str = "", **typed: str | None) -> None:
        """Send the form that goes to `action`; a field that is typed as `None` is a box that is not ticked."""
        form = next(it for it in self.page.forms if (it.action or "").endswith(action))
        values = dict(form.form_values())
        for area in form.iter(
            "textarea"
        ):  # a browser drops the first line break, and writes others in its own way
            values[area.name] = area.value.removeprefix("\n").replace("\r", "").replace("\n", "\r\n")
        values |= {name: text for name, text in typed.items() if text is not None}
        values = {name: text for name, text in values.items() if typed.get(name, "") is not None}
        if button:
            name, _, value = button.partition("=")
            values[name] = value
        where = urljoin(self._base, form.action)
        self._take(await self._http.post(where, data=values, follow_redirects=True))

    def _take(self, answer: httpx.Response) -> None:
        self.status = answer.status_code
        self.page = html.fromstring(answer.content)

    def said(self, role: str = "status") -> str:
        return " ".join("".join(it.itertext()).strip() for it in self.page.xpath(f"//*[@role='{role}']"))

    def rows(self) -> list[str]:
        return [" ".join(" ".join(row.itertext()).split()) for row in self.page.xpath("//tbody/tr")]


@pytest.fixture
def browser(sandbox) -> Browser:
    return Browser(sandbox.http, sandbox.url)


async def test_the_address_that_people_are_told_leads_to_the_practices(sandbox, browser):
    """With their tokens, and from there to the clients of each."""
    answer = await sandbox.http.get(f"{sandbox.url}/sandbox", follow_redirects=True)
    await browser.open()

    assert answer.status_code == 200
    assert any(harbour.TENANT_ID in row and harbour.TOKEN in row for row in browser.rows())
    assert len(browser.page.xpath("//tbody//th/a")) == 2


async def test_clients_are_searched_for_by_name_and_state(browser):
    """Also archived and deleted ones."""
    await browser.open(harbour.TENANT_ID, name="ellison", state="current")
    assert len(browser.rows()) == 4
    await browser.open(harbour.TENANT_ID, state="deleted")
    assert [row.split()[0] for row in browser.rows()] == ["Gordon"]
    await browser.open(harbour.TENANT_ID, name="nobody")
    assert browser.rows() == []
    assert "No client" in browser.page.text_content()


async def test_many_clients_come_in_pages(browser):
    """Each page has a link to the next, but for the last."""
    tenant, seen = made_up_uuid("tenant", "contract"), 0
    await browser.open(tenant)
    for page in range(2, 7):
        seen += len(browser.rows())
        following = browser.page.xpath("//a[@rel='next']/@href")
        assert bool(following) == (page <= 5)
        await browser.open(tenant, page=str(page))

    assert seen == 250


async def test_a_client_is_added_changed_and_archived(sandbox, browser, xpm):
    """And the next import sees another world."""
    await browser.open(harbour.TENANT_ID)
    await browser.send("/clients", name="Fern & Daughters", email="fern@fern.example")
    assert browser.said() == "The client was added."
    (found,) = await xpm.search("Fern &")
    assert found.details.email == "fern@fern.example"

    change = {"field-Name": "Fern & Sons", "without-Email": "on", "more": "Phone", "more-text": "1"}
    await browser.send("/fields", **change)
    assert browser.said() == "The record was changed."
    details = (await xpm.read_client(found.xpm_client_id)).details
    assert (details.name, details.email, details.phone) == ("Fern & Sons", None, "1")

    await browser.send("/state", "to=archived")
    assert (await xpm.read_client(found.xpm_client_id)).archived
    await browser.send("/state", "to=current")
    await browser.send("/state", "to=deleted")
    again = await xpm.read_client(found.xpm_client_id)
    assert (again.archived, again.deleted) == (False, True)
    await browser.send("/state", "to=gone")
    assert "taken away" in browser.said()
    with pytest.raises(ClientNotFound):
        await xpm.read_client(found.xpm_client_id)


async def test_saving_a_record_without_a_change_changes_nothing(sandbox, browser):
    """Not the line breaks of an address either, which browsers send in their own way."""
    record = (await sandbox.http.get(sandbox.party(harbour.NORTHLIGHT))).json()
    await browser.open(NORTHLIGHT)
    await browser.send("/fields")

    assert browser.said() == "The record was changed."
    assert (await sandbox.http.get(sandbox.party(harbour.NORTHLIGHT))).json() == record


async def test_a_relationship_is_added_ended_and_taken_away_on_both_records(browser, xpm):
    """As in XPM's own screens: the other record says the same in the opposite word."""

    async def ties(uuid, party):
        found = (await xpm.read_client(uuid)).relationships
        return [(tie.type, tie.start_date, tie.end_date) for tie in found if tie.xpm_party_id == party]

    await browser.open(SALTGRASS)
    await browser.send("/relationships", type="Owner", party="priya nair", start="2024-02-01", shares="5")
    assert await ties(harbour.SALTGRASS, harbour.PRIYA) == [("Owner", "2024-02-01", None)]
    assert await ties(harbour.PRIYA, harbour.SALTGRASS) == [("Owner Of", "2024-02-01", None)]

    relationship = browser.page.xpath("//td//form/@action")[0]
    await browser.send(relationship, "do=end", end="2025-06-30")
    assert await ties(harbour.SALTGRASS, harbour.PRIYA) == [("Owner", "2024-02-01", "2025-06-30")]
    assert await ties(harbour.PRIYA, harbour.SALTGRASS) == [("Owner Of", "2024-02-01", "2025-06-30")]

    await browser.send(relationship, "do=remove")
    assert await ties(harbour.SALTGRASS, harbour.PRIYA) == []
    assert await ties(harbour.PRIYA, harbour.SALTGRASS) == []


async def test_a_relationship_may_be_changed_on_one_record_only(browser, xpm):
    """The harder world, which XPM may be too."""
    await browser.open(MARA)
    relationship = browser.page.xpath("//td//form/@action")[0]
    await browser.send(relationship, "do=remove", both=None)

    northlight = await xpm.read_client(harbour.NORTHLIGHT)
    mara = await xpm.read_client(harbour.MARA)
    assert [tie.type for tie in northlight.relationships if tie.xpm_party_id == harbour.MARA] == [
        "Director",
        "Shareholder",
    ]
    assert "Director Of" not in [tie.type for tie in mara.relationships]


@pytest.mark.parametrize(
    ("typed", "what"),
    [
        ({"type": "Owner", "party": "Nobody"}, "No client has the name"),
        ({"type": "Owner", "party": ""}, "Say who"),
        ({"type": " ", "party": "Priya Nair"}, "needs a word"),
        ({"type": "Owner", "party": "Priya Nair", "start": "soon"}, "is no day"),
        ({"type": "Own\x01er", "party": "Priya Nair"}, "XML cannot hold"),
    ],
)
async def test_a_mistake_is_explained_and_nothing_typed_is_lost(browser, xpm, typed, what):
    """Nothing was changed, and the way to the field is there."""
    await browser.open(SALTGRASS)
    await browser.send("/relationships", **typed)

    assert browser.status == 422
    assert browser.said("alert").startswith("Nothing was changed.")
    assert what in browser.said("alert")
    target = browser.page.xpath("//*[@role='alert']/a/@href")[0].removeprefix("#")
    assert browser.page.get_element_by_id(target) is not None
    if "\x01" not in typed["type"]:
        assert browser.page.get_element_by_id("party").get("value") == typed["party"]
    assert (await xpm.read_client(harbour.SALTGRASS)).relationships == ()


async def test_a_name_that_several_clients_have_needs_an_id(sandbox, browser, xpm):
    """The ids are given along; the id of nobody makes a relationship that leads nowhere."""
    parties = f"{sandbox.url}/sandbox/practices/{harbour.TENANT_ID}/parties"
    await sandbox.http.post(parties, json={"name": "Priya Nair"})
    await browser.open(SALTGRASS)
    await browser.send("/relationships", type="Owner", party="Priya Nair")
    assert harbour.PRIYA in browser.said("alert")

    await browser.send("/relationships", type="Owner", party=harbour.OKAFOR)
    assert "leads nowhere" in browser.rows()[0]
    (tie,) = (await xpm.read_client(harbour.SALTGRASS)).relationships
    assert tie.xpm_party_id == harbour.OKAFOR


async def test_trouble_is_made_and_ended(browser, xpm):
    """And what does not make sense is explained."""
    await browser.open()
    await browser.send("/trouble", kind="outage", calls="2", path="client.api/get")
    assert any(row.startswith("outage") and "2 more" in row for row in browser.rows())
    with pytest.raises(SourceUnavailable):
        await xpm.read_client(harbour.MARA)

    await browser.send("/trouble/end")
    assert "Nothing goes wrong now." in browser.page.text_content()
    assert (await xpm.read_client(harbour.MARA)).details.name == "Mara Ellison"
    await browser.send("/trouble", kind="outage", percent="0")
    assert browser.status == 422
    assert "greater than 0" in browser.said("alert")


async def test_a_dialect_is_chosen(sandbox, browser):
    """Every open question has an answer here."""
    await browser.open()
    await browser.send("/answers", form="json", api_method="no", unknown_client="404")

    assert Dialect(form="json", api_method=False, unknown_client="404") == sandbox.state.dialect
    assert browser.page.get_element_by_id("form").value == "json"


@pytest.mark.parametrize("path", ["nowhere", f"{harbour.TENANT_ID}/nobody", f"nowhere/{harbour.MARA}"])
async def test_what_is_not_there_is_said_on_a_page(browser, path):
    """With a way back."""
    await browser.open(path)

    assert browser.status == 404
    assert browser.page.xpath("//main//a/@href")


@pytest.mark.parametrize("path", ["", harbour.TENANT_ID, NORTHLIGHT, SALTGRASS])
async def test_every_field_has_a_label_and_every_id_is_there_once(browser, path):
    """People who do not see the page use it too."""
    page = (await browser.open(path)).page
    ids = page.xpath("//@id")
    labelled = set(page.xpath("//label/@for"))

    assert len(ids) == len(set(ids))
    for field in page.xpath("//input | //select | //textarea"):
        assert field.get("id") in labelled or field.getparent().tag == "label", field.get("name")
    for button in page.xpath("//button"):
        assert (button.get("aria-label") or button.text_content()).strip()
    assert page.get("lang") == "en"
    assert len(page.xpath("//h1")) == 1
    assert not page.xpath("//script")
