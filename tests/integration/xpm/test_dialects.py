"""Whatever nobody knows about XPM's answers: the client reads the same, whichever way it turns out."""

import pytest

from sandbox import harbour
from sandbox.chance import made_up_uuid
from sandbox.dialect import AS_RECORDED, Dialect
from sandbox.document import number_of
from sandbox.oauth import Asked
from services.importer.xpm.directions import TURNED_ROUND, contradictions, fact
from services.importer.xpm.errors import ClientNotFound, Forbidden, ReconnectRequired

MADE_UP = ("made-up-contract", made_up_uuid("tenant", "contract"))

OTHERS = [
    {name: choice}
    for name, field in Dialect.model_fields.items()
    for choice in getattr(field.annotation, "__args__", (True, False))
    if choice != field.default and name not in ("ids", "words")
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
    assert {name for other in OTHERS for name in other} == Dialect.model_fields.keys() - {"ids", "words"}
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


@pytest.mark.parametrize("status", ["401", "403"])
async def test_what_the_consent_does_not_cover_is_forbidden_or_waited_for(sandbox, status):
    """A 401 for a token that is not to be renewed says that somebody has to consent again."""
    sandbox.state.dialect = Dialect(missing_scope=status)
    authority = sandbox.state.authority
    asked = Asked("http://127.0.0.1/", ("offline_access", "practicemanager.staff.read"))
    code = authority.consent("sam", asked, [(harbour.TENANT_ID, "PRACTICEMANAGER", harbour.NAME)])
    xpm = sandbox.xpm(authority.exchange(code, asked.redirect_uri, None).access)

    assert [each.xero_tenant_id for each in await xpm.connections()] == [harbour.TENANT_ID]
    with pytest.raises({"403": Forbidden, "401": ReconnectRequired}[status]):
        await xpm.search("ell")


async def test_words_that_mean_the_opposite_are_read_by_a_table_that_is_turned_round(sandbox, xpm):
    """What each relationship says is the same then; by the usual table they contradict what clients are."""
    as_recorded = await xpm.read_client(harbour.NORTHLIGHT)
    mara = await xpm.read_client(harbour.MARA)
    sandbox.state.dialect = Dialect(words="what this one is")
    turned = await xpm.read_client(harbour.NORTHLIGHT)
    mara_turned = await xpm.read_client(harbour.MARA)

    assert [tie.type for tie in turned.relationships][:2] == ["Director Of", "Shareholder Of"]
    for one, other in ((as_recorded, turned), (mara, mara_turned)):
        assert [fact(tie) for tie in one.relationships] == [
            fact(tie, TURNED_ROUND) for tie in other.relationships
        ]
    assert contradictions(mara, {}) == 0 < contradictions(mara_turned, {})
    assert contradictions(mara_turned, {}, TURNED_ROUND) == 0


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
