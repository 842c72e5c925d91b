"""A practice that connects itself, loses its consent, and comes back: through every service."""

import httpx

from ops.demo.connecting import Importer, connect
from ops.demo.consenting import USER
from sandbox import harbour
from tests.support.eventually import eventually
from tests.support.system import STAFF, Practice, Row, System

TENANT = "connects-itself"
CLIENT = "northlight"


async def imported(practice: Practice) -> Row:
    """The row of an import of a client that the practice has, when it is over."""
    import_id = await practice.request(CLIENT, harbour.NORTHLIGHT)

    async def over() -> Row | None:
        row = await practice.progress(import_id)
        return row if row["status"] in {"failed", "ready_for_review"} else None

    return await eventually(over, timeout=30)


async def connections(practice: Practice) -> list[str]:
    """What progress says of the connection, oldest first."""
    rows = await practice.all_progress()
    return [row["connection"] for row in reversed(rows) if row["kind"] == "connection"]


async def test_a_withdrawn_consent_is_seen_in_progress_and_mended_by_another(system: System) -> None:
    """Connected, imported; withdrawn at Xero, and the next import fails as such; connected again, and it goes on."""
    importer = Importer(system.services["importer"].address)
    async with system.practice(TENANT) as practice:
        await practice.add_client(CLIENT, harbour.NORTHLIGHT)
        assert (await imported(practice))["reason"] == "not_connected"
        await connect(importer, system.sandbox, TENANT, STAFF)
        assert (await imported(practice))["status"] == "ready_for_review"

        async with httpx.AsyncClient() as browser:
            await browser.post(f"{system.sandbox}/identity/connected-apps", data={"user": USER})
        failed = await imported(practice)
        assert (failed["status"], failed["reason"]) == ("failed", "reconnect_required")
        await eventually(lambda: ends_with(practice, "connected", "reconnect_required"))

        await connect(importer, system.sandbox, TENANT, STAFF)
        assert (await imported(practice))["status"] == "ready_for_review"
        await disconnect(importer)
        assert (await imported(practice))["reason"] == "not_connected"
        await eventually(lambda: ends_with(practice, "reconnect_required", "connected", "disconnected"))


async def ends_with(practice: Practice, *states: str) -> bool:
    return (await connections(practice))[-len(states) :] == list(states)


async def disconnect(importer: Importer) -> None:
    async with httpx.AsyncClient(base_url=importer.address) as api:
        path = f"/internal/tenants/{TENANT}/connection"
        assert (await api.delete(path, params={"requested_by": STAFF})).status_code == 204
