"""A practice can be changed while it runs, so that a second import sees another world."""

import pytest

from sandbox import harbour


async def test_a_changed_party_is_read_with_its_new_details(sandbox, xpm):
    """A field gets a new text, or becomes absent; relationships show the new name."""
    change = {"fields": {"Name": "Mara Ellison-Tern", "Phone": None, "Email": "mara@tern.example"}}
    await sandbox.http.patch(sandbox.party(harbour.MARA), json=change)

    mara = await xpm.read_client(harbour.MARA)
    assert (mara.details.name, mara.details.phone, mara.details.email) == (
        "Mara Ellison-Tern",
        None,
        "mara@tern.example",
    )
    northlight = await xpm.read_client(harbour.NORTHLIGHT)
    assert northlight.relationships[0].party_name == "Mara Ellison-Tern"


async def test_relationships_come_end_and_go(sandbox, xpm):
    """One is added, one ends, one is taken away."""
    northlight = sandbox.party(harbour.NORTHLIGHT)
    before = (await xpm.read_client(harbour.NORTHLIGHT)).relationships
    new = {"type": "Owner", "party": harbour.TOMAS, "shares": "5", "start": "2024-01-01"}
    added = (await sandbox.http.post(f"{northlight}/relationships", json=new)).json()
    first, second = (f"{northlight}/relationships/{tie.xpm_relationship_id}" for tie in before[:2])
    await sandbox.http.patch(first, json={"end": "2025-12-31T00:00:00"})
    await sandbox.http.delete(second)

    after = {
        tie.xpm_relationship_id: tie for tie in (await xpm.read_client(harbour.NORTHLIGHT)).relationships
    }
    assert after[added["uuid"]].number_of_shares == 5
    assert after[before[0].xpm_relationship_id].end_date == "2025-12-31"
    assert before[1].xpm_relationship_id not in after


async def test_a_party_is_archived_deleted_and_taken_away(sandbox, xpm):
    """Taken away, what points to it dangles under the last name that is known."""
    mara = sandbox.party(harbour.MARA)
    await sandbox.http.patch(mara, json={"archived": True, "deleted": True})
    client = await xpm.read_client(harbour.MARA)
    assert (client.archived, client.deleted) == (True, True)

    await sandbox.http.delete(mara)
    northlight = await xpm.read_client(harbour.NORTHLIGHT)
    assert northlight.relationships[0].party_name == "Mara Ellison"
    assert (await sandbox.http.get(mara)).status_code == 404


async def test_a_new_party_can_be_found(sandbox, xpm):
    """Somebody typed a new client into XPM."""
    new = {"name": "Fern & Daughters", "fields": {"Email": "fern@fern.example"}}
    parties = f"{sandbox.url}/sandbox/practices/{harbour.TENANT_ID}/parties"
    added = (await sandbox.http.post(parties, json=new)).json()

    (found,) = await xpm.search("fern &")
    assert (found.xpm_client_id, found.details.email) == (added["uuid"], "fern@fern.example")


@pytest.mark.parametrize(
    "body",
    [
        '{"fields": {"Nmae": "x"}}',
        '{"fields": {"Name": "\\u0001"}}',
        '{"archived": "yes"}',
        '{"more": 1}',
        "oops",
    ],
)
async def test_a_change_that_does_not_fit_is_refused_whole(sandbox, body):
    """A typing mistake must not pass for a change, and nothing may break the XML."""
    answer = await sandbox.http.patch(sandbox.party(harbour.MARA), content=body)

    assert answer.status_code == 422
    shown = (await sandbox.http.get(sandbox.party(harbour.MARA))).json()
    assert shown["fields"]["Name"] == "Mara Ellison"


async def test_every_answer_is_counted_by_its_status(sandbox, xpm):
    """How many calls an import costs can be seen from outside."""
    await xpm.read_client(harbour.MARA)
    await sandbox.trouble(kind="outage")
    await sandbox.http.get(f"{sandbox.url}/connections")

    counted = (await sandbox.http.get(f"{sandbox.url}/sandbox/calls")).json()
    assert {"tenant": harbour.TENANT_ID, "method": "client.api/get", "status": 200, "calls": 1} in counted
    assert {"tenant": None, "method": "connections", "status": 401, "calls": 1} in counted


async def test_a_relationship_may_follow_on_the_other_record(sandbox, xpm):
    """If the query says so: added, ended and taken away on both."""
    saltgrass = f"{sandbox.party(harbour.SALTGRASS)}/relationships"

    async def back():
        found = (await xpm.read_client(harbour.PRIYA)).relationships
        return [(tie.type, tie.end_date) for tie in found if tie.xpm_party_id == harbour.SALTGRASS]

    new = {"type": "Trustee", "party": harbour.PRIYA}
    added = (await sandbox.http.post(f"{saltgrass}?both=true", json=new)).json()
    assert await back() == [("Trustee Of", None)]
    await sandbox.http.patch(f"{saltgrass}/{added['uuid']}?both=true", json={"end": "20240630"})
    assert await back() == [("Trustee Of", "2024-06-30")]
    await sandbox.http.delete(f"{saltgrass}/{added['uuid']}?both=true")
    assert await back() == []


async def test_an_id_that_is_taken_is_refused(sandbox):
    """Adding must not overwrite; ids are the same in any letter case."""
    parties = f"{sandbox.url}/sandbox/practices/{harbour.TENANT_ID}/parties"
    answer = await sandbox.http.post(parties, json={"name": "Somebody", "uuid": harbour.MARA.upper()})

    assert answer.status_code == 409
    assert (await sandbox.http.get(sandbox.party(harbour.MARA))).json()["name"] == "Mara Ellison"
