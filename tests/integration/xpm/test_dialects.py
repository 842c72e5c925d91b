"""Whatever nobody knows about XPM's answers: the client reads the same, whichever way it turns out."""

import pytest

from sandbox import harbour
from sandbox.chance import made_up_uuid
from sandbox.dialect import AS_RECORDED, Dialect
from sandbox.document import number_of
from services.importer.xpm.errors import ClientNotFound

MADE_UP = ("made-up-contract", made_up_uuid("tenant", "contract"))

OTHERS = [
    {name: choice}
    for name, field in Dialect.model_fields.items()
    for choice in getattr(field.annotation, "__args__", (True, False))
    if choice != field.default and name != "ids"
]
TOGETHER = {
    "api_method": False,
    "declaration": True,
    "web_url": "inside",
    "empty": "absent",
    "flags": "booleans",
    "does_not_apply": "0",
    "prospects": True,
    "next_on_last_page": "empty",
}
EVERY_OTHER = pytest.mark.parametrize("other", [*OTHERS, TOGETHER, {**TOGETHER, "form": "json"}], ids=str)


@pytest.fixture
def size() -> int:
    return 60


async def everything(sandbox):
    """All clients of a made-up practice, as a detailed list brings them."""
    xpm = sandbox.xpm(*MADE_UP)
    return [client async for client in xpm.list_clients(detailed=True)]


def test_every_choice_is_tried():
    """A choice that is added to the dialect is tried here without being named."""
    assert {name for other in OTHERS for name in other} == Dialect.model_fields.keys() - {"ids"}
    assert len(OTHERS) >= 15


@EVERY_OTHER
async def test_a_list_reads_the_same_in_every_dialect(sandbox, other):
    """To the last field of the last relationship; only archived clients may be among them."""
    as_recorded = await everything(sandbox)
    sandbox.state.dialect = Dialect(**other)
    read = [client for client in await everything(sandbox) if not client.archived]

    assert len(as_recorded) > 50
    assert as_recorded == read


@EVERY_OTHER
async def test_one_client_and_a_search_read_the_same_in_every_dialect(sandbox, xpm, other):
    """Of the hand-written practice, which is the one that demonstrations show."""
    as_recorded = await xpm.read_client(harbour.NORTHLIGHT), await xpm.search("ell")
    sandbox.state.dialect = Dialect(**other)

    assert as_recorded == (await xpm.read_client(harbour.NORTHLIGHT), await xpm.search("ell"))


@pytest.mark.parametrize("unknown", ["error", "404"])
@pytest.mark.parametrize("form", ["xml", "json"])
async def test_an_unknown_client_is_not_found_in_every_dialect(sandbox, xpm, unknown, form):
    """ERROR with HTTP 200, or HTTP 404; either may be JSON."""
    sandbox.state.dialect = Dialect(unknown_client=unknown, form=form)
    with pytest.raises(ClientNotFound):
        await xpm.read_client(harbour.OKAFOR)


class TestNumbers:
    """Version 3.0 has numeric ids everywhere, and the UUID of a client as its last child."""

    @pytest.fixture(autouse=True)
    def numeric(self, sandbox):
        sandbox.state.dialect = Dialect(ids="numeric")

    async def test_a_client_is_found_by_its_number_or_its_uuid(self, xpm):
        """Whichever the portal has."""
        number = str(number_of(harbour.NORTHLIGHT))
        by_number, by_uuid = await xpm.read_client(number), await xpm.read_client(harbour.NORTHLIGHT)

        assert by_number == by_uuid
        assert (by_uuid.xpm_client_id, by_uuid.number) == (harbour.NORTHLIGHT, number)

    async def test_relationships_lead_to_parties_by_number(self, sandbox, xpm):
        """So the parties can be read, and nothing but the ids differs."""
        northlight = await xpm.read_client(harbour.NORTHLIGHT)
        sandbox.state.dialect = AS_RECORDED
        as_recorded = await xpm.read_client(harbour.NORTHLIGHT)

        assert northlight.details == as_recorded.details
        for numbered, tie in zip(northlight.relationships, as_recorded.relationships, strict=True):
            assert numbered.xpm_party_id == str(number_of(tie.xpm_party_id))
            assert numbered.xpm_relationship_id == str(number_of(tie.xpm_relationship_id))
            assert (numbered.type, numbered.start_date) == (tie.type, tie.start_date)

        sandbox.state.dialect = Dialect(ids="numeric")
        wren = await xpm.read_client(northlight.relationships[6].xpm_party_id)
        assert (wren.xpm_client_id, wren.archived) == (harbour.WREN, True)


@pytest.mark.parametrize(
    "other",
    [{"ampersand": "bare"}, {"form": "json"}, {"form": "json", "next_on_last_page": "empty"}, *OTHERS],
    ids=str,
)
async def test_pages_are_followed_to_the_last_in_every_dialect(sandbox, other):
    """All current clients, each once, whatever the links look like."""
    expected = [client.xpm_client_id for client in await everything(sandbox)]
    sandbox.state.dialect = Dialect(**other)
    xpm = sandbox.xpm(*MADE_UP)
    found, token = [], None
    while True:
        page = await xpm.read_page(token, size=20)
        found += [client.xpm_client_id for client in page.clients]
        token = page.next_page
        if token is None:
            break

    assert found == expected
    assert sandbox.calls("client.api/paged-list") == 3


async def test_a_changed_relationship_may_count_as_a_change_of_the_record(sandbox, xpm):
    """If it does not, only reading anew shows it."""
    new = {"type": "Owner", "party": harbour.TOMAS}
    for counts, changed in ((False, []), (True, [harbour.SALTGRASS])):
        sandbox.state.dialect = Dialect(ties_count_as_changes=counts)
        since = sandbox.state.now().replace(microsecond=0)
        await sandbox.http.post(f"{sandbox.party(harbour.SALTGRASS)}/relationships", json=new)
        read = [client async for client in xpm.list_clients(detailed=True, modified_since=since)]

        assert [client.xpm_client_id for client in read] == changed


async def test_a_dialect_is_chosen_over_http(sandbox, xpm):
    """And one that does not exist is refused."""
    dialect = f"{sandbox.url}/sandbox/dialect"
    chosen = (await sandbox.http.put(dialect, json={"form": "json"})).json()

    assert chosen == {**AS_RECORDED.model_dump(), "form": "json"} == (await sandbox.http.get(dialect)).json()
    assert (await sandbox.http.put(dialect, json={"form": "yaml"})).status_code == 422
    assert (await xpm.read_client(harbour.MARA)).details.name == "Mara Ellison"
