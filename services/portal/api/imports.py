"""Imports: asked for one or many at once; how each goes is in its row of progress."""

from typing import Any

from fastapi import APIRouter, status

from services.portal.api import models
from services.portal.api.asking import Sender
from services.portal.composing import requested

router = APIRouter(tags=["imports"])
ROW: dict[int | str, dict[str, Any]] = {
    202: {
        "headers": {
            "Location": {
                "description": "The row of progress of the import, or of all of them together",
                "schema": {"type": "string", "format": "uri-reference"},
            }
        }
    }
}


@router.post("/imports", status_code=status.HTTP_202_ACCEPTED, responses=ROW)
async def request_imports(sending: Sender, wanted: models.RequestImports) -> models.RequestedImports:
    """Ask for imports. A client that is only in the portal is asked for too, and fails as `client_not_linked`.

    What an import comes to is in its row of progress, so nothing is waited for here. Under one `Idempotency-Key` the
    same list of clients is the same imports, and another list is others.
    """
    person, portal = sending.person, sending.portal
    clients = await portal.reads.some_clients(person.tenant_id, wanted.client_ids)
    bulk_id = sending.new_id("bulk", *wanted.client_ids) if len(clients) > 1 else None
    commands = [
        requested(person, sending.new_id(each.client_id, *wanted.client_ids), each, bulk_id=bulk_id)
        for each in clients
    ]
    await portal.commands.publish(person, commands)
    if commands:
        sending.point_to("progress", *(("bulk_import", bulk_id) if bulk_id else ("import", commands[0].id)))
    known = [each.client_id for each in clients]
    return models.RequestedImports(
        imports=[
            models.Requested(client_id=client_id, import_id=command.id)
            for client_id, command in zip(known, commands, strict=True)
        ],
        bulk_id=bulk_id,
        unknown=[each for each in wanted.client_ids if each not in known],
    )
