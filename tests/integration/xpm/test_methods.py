"""The sandbox as a client of Xero sees it, byte for byte where bytes were recorded."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import etree

from sandbox import harbour
from sandbox.app import API_PATH, OLD_API_PATH
from sandbox.chance import made_up_uuid
from sandbox.dialect import Dialect
from sandbox.quota import REAL

MADE_UP_TENANT = made_up_uuid("tenant", "contract")
HARBOUR = {"Authorization": f"Bearer {harbour.TOKEN}", "xero-tenant-id": harbour.TENANT_ID}
MADE_UP = {"Authorization": "Bearer made-up-contract", "XERO-TENANT-ID": MADE_UP_TENANT}
NOWHERE = "1d44f4b8-094f-4b91-a73e-b00b83593f71"
METHODS = [
    f"client.api/get/{harbour.MARA}",
    "client.api/list",
    "client.api/paged-list",
    "client.api/search?query=e",
    "client.api/contacts",
    "clientgroup.api/list",
    "staff.api/list",
]


async def ask(sandbox, method, headers=HARBOUR, base=API_PATH):
    return await sandbox.http.get(f"{sandbox.url}{base}/{method}", headers=headers)


async def rows(sandbox, method, path, headers=HARBOUR):
    return etree.fromstring((await ask(sandbox, method, headers)).content).findall(path)


class TestEveryAnswer:
    @pytest.fixture
    def limits(self):
        return REAL

    @pytest.mark.parametrize("method", METHODS)
    async def test_has_a_correlation_id_the_rate_headers_and_xml_in_utf_8(self, sandbox, method):
        """Whatever method was asked."""
        answer = await ask(sandbox, method)

        assert answer.headers["content-type"] == "text/xml; charset=utf-8"
        assert answer.headers["xero-correlation-id"]
        assert answer.headers["x-minlimit-remaining"] == "59"
        assert answer.headers["x-daylimit-remaining"] == "4999"
        assert answer.headers["x-appminlimit-remaining"] == "9999"
        assert answer.text.startswith("<Response api-method=")
        assert etree.fromstring(answer.content).findtext("Status") == "OK"

    async def test_of_a_bad_token_is_json_without_rate_headers(self, sandbox):
        """As recorded."""
        answer = await ask(sandbox, METHODS[0], {**HARBOUR, "Authorization": "Bearer garbage"})

        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer error=invalid_token"
        assert answer.json() | {"Instance": ""} == {
            "Type": None,
            "Title": "Unauthorized",
            "Status": 401,
            "Detail": "AuthenticationUnsuccessful",
            "Instance": "",
            "Extensions": {},
        }
        assert answer.headers["xero-correlation-id"]
        assert not [name for name in answer.headers if "limit" in name]

    async def test_of_a_foreign_practice_is_json_with_one_rate_header(self, sandbox):
        """As recorded."""
        answer = await ask(sandbox, METHODS[0], {**HARBOUR, "xero-tenant-id": MADE_UP_TENANT})

        assert answer.status_code == 403
        assert (answer.json()["Title"], answer.json()["Detail"]) == (
            "Forbidden",
            "AuthenticationUnsuccessful",
        )
        assert [name for name in answer.headers if "limit" in name] == ["x-appminlimit-remaining"]

    async def test_of_too_many_calls_is_empty_but_for_headers(self, sandbox):
        """As recorded, down to the missing content type."""
        sandbox.state.quotas[harbour.TENANT_ID].minute._allowed = 0
        answer = await ask(sandbox, METHODS[0])

        assert (answer.status_code, answer.content) == (429, b"")
        assert "content-type" not in answer.headers
        assert answer.headers["x-rate-limit-problem"] == "minute"
        assert answer.headers["x-minlimit-remaining"] == "0"
        assert 0 < int(answer.headers["retry-after"]) <= 60
        assert answer.headers["xero-correlation-id"]


async def test_an_unknown_id_is_an_error_with_http_200(sandbox):
    """As recorded of other methods."""
    answer = await ask(sandbox, f"client.api/get/{NOWHERE}")

    assert answer.status_code == 200
    assert answer.text == (
        '<Response api-method="Get"><Status>ERROR</Status>'
        "<ErrorDescription>Invalid client identifier</ErrorDescription></Response>"
    )


async def test_absent_and_empty_elements_differ(sandbox):
    """Collections print themselves closed, texts open and close."""
    text = (await ask(sandbox, f"client.api/get/{harbour.SALTGRASS}")).text
    listed = (await ask(sandbox, "client.api/list?detailed=true", MADE_UP)).text

    assert "<Contacts /><Notes /><Groups /><Relationships />" in text
    assert "<Email>" not in text
    assert "<Address></Address>" in text
    assert "<Fax></Fax><Website></Website><ReferralSource></ReferralSource>" in text
    assert "<PostalAddress></PostalAddress>" in listed
    assert "<Address></Address>" in listed


async def test_a_plain_list_lacks_notes_groups_and_relationships_only(sandbox):
    """Contacts and the tax block stay."""
    plain, detailed = [
        [{child.tag for child in row} for row in await rows(sandbox, method, "Clients/Client", MADE_UP)]
        for method in ("client.api/list", "client.api/list?detailed=true")
    ]

    assert [tags - {"Notes", "Groups", "Relationships"} for tags in detailed] == plain
    assert any("TaxNumber" in tags for tags in plain)


class TestPages:
    async def test_bring_current_clients_without_what_belongs_to_them(self, sandbox):
        """Neither contacts nor notes, groups, relationships."""
        found = await rows(sandbox, "client.api/paged-list?pageSize=500", "Clients/Client", MADE_UP)
        listed = await rows(sandbox, "client.api/list", "Clients/Client", MADE_UP)

        assert [row.findtext("UUID") for row in found] == [row.findtext("UUID") for row in listed]
        assert not {child.tag for row in found for child in row} & {
            "Contacts",
            "Notes",
            "Groups",
            "Relationships",
        }

    async def test_are_fifty_unless_told_and_linked_to_the_next(self, sandbox):
        """The ampersand in the link is escaped; its token says nothing."""
        answer = await ask(sandbox, "client.api/paged-list", MADE_UP)
        page = etree.fromstring(answer.content)
        link = page.findtext("Pagination/Links/Next")

        assert len(page.findall("Clients/Client")) == 50
        assert "&amp;pageToken=" in answer.text
        assert re.fullmatch(r"[\w-]+", parse_qs(urlsplit(link).query)["pageToken"][0])
        following = etree.fromstring((await sandbox.http.get(link, headers=MADE_UP)).content)
        assert following.findtext("Clients/Client/UUID") != page.findtext("Clients/Client/UUID")

    @pytest.mark.parametrize(
        "query", ["pageSize=0", "pageSize=501", "pageSize=x", "pageToken=x", "pageToken=YWZ0ZXIgeA"]
    )
    @pytest.mark.parametrize("method", ["client.api/paged-list", "client.api/contacts"])
    async def test_do_not_take_any_size_or_token(self, sandbox, method, query):
        """As described, with HTTP 400 and JSON."""
        answer = await ask(sandbox, f"{method}?{query}")

        assert answer.status_code == 400
        assert answer.json().keys() == {"status", "errorDescription"}

    async def test_are_linked_as_the_dialect_has_it(self, sandbox):
        """With a bare ampersand, as documentation prints it; and with an empty link after the last page."""
        sandbox.state.dialect = Dialect(ampersand="bare", next_on_last_page="empty")
        first, last = [
            (await ask(sandbox, f"client.api/paged-list?pageSize={size}", MADE_UP)).text for size in (1, 500)
        ]

        assert "?pageSize=1&pageToken=" in first
        assert "<Next></Next>" in last

    async def test_of_contacts_do_not_say_whose_they_are(self, sandbox):
        """Nor which is the primary one."""
        (contact,) = await rows(sandbox, "client.api/contacts", "Contacts/Contact")

        assert contact.findtext("Name") == "Mara Ellison"
        assert {child.tag for child in contact} == {
            "UUID",
            "Name",
            "Salutation",
            "Addressee",
            "Mobile",
            "Email",
            "Phone",
        }


async def test_groups_are_listed_without_members_and_read_with_them(sandbox):
    """Members by id and name only; a group that nobody belongs to is there too."""
    (group,) = await rows(sandbox, "clientgroup.api/list", "Groups/Group")
    (read,) = await rows(sandbox, f"clientgroup.api/get/{group.findtext('UUID')}", "Group")
    made_up = [
        row.findtext("Name") for row in await rows(sandbox, "clientgroup.api/list", "Groups/Group", MADE_UP)
    ]
    unknown = await rows(sandbox, f"clientgroup.api/get/{NOWHERE}", "ErrorDescription")

    assert [child.tag for child in group] == ["UUID", "Name", "Taxable"]
    assert [it.findtext("Name") for it in read.findall("Clients/Client")] == [
        "Ellison Family Trust",
        "Ellison Holdings Pty Ltd ATF Ellison Family Trust",
        "Ellison, Tomas",
        "Mara Ellison",
        "Northlight Joinery Pty Ltd",
    ]
    assert {child.tag for child in read.find("Clients/Client")} == {"UUID", "Name"}
    assert "Prospects & leads" in made_up
    assert [row.text for row in unknown] == ["Invalid client group identifier"]


async def test_staff_have_names_that_repeat(sandbox):
    """Neither a role nor whether they have left."""
    names = [row.findtext("Name") for row in await rows(sandbox, "staff.api/list", "StaffList/Staff")]

    assert len(names) > len(set(names))


class TestVersion30:
    async def test_has_numbers_for_ids_and_the_uuid_last(self, sandbox):
        """As recorded in 2020."""
        answer = await ask(sandbox, f"client.api/get/{harbour.NORTHLIGHT}", base=OLD_API_PATH)
        client = etree.fromstring(answer.content).find("Client")

        assert (client[0].tag, client[-1].tag) == ("ID", "UUID")
        assert client.findtext("Relationships/Relationship/RelatedClient/ID").isdecimal()
        assert client.find("Relationships/Relationship/UUID") is None
        by_number = await ask(sandbox, f"client.api/get/{client[0].text}", base=OLD_API_PATH)
        assert by_number.text == answer.text


async def test_a_dialect_with_a_declaration_is_still_one_document(sandbox):
    """A namespace and an encoding are declared."""
    sandbox.state.dialect = Dialect(declaration=True)
    answer = await ask(sandbox, "staff.api/list")

    assert answer.text.startswith('<?xml version="1.0" encoding="utf-8"?>')
    assert etree.QName(etree.fromstring(answer.content)).namespace
