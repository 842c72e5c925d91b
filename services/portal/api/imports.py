"""Imports: asked for one or many at once; how each goes is in its row of progress."""

from fastapi import APIRouter, status

from services.portal.api import models
from services.portal.api.asking import Decider, IdempotencyKey, ThePortal, new_id
from services.portal.console.imports import requested

router = APIRouter(tags=["imports"])


@router.post("/imports", status_code=status.HTTP_202_ACCEPTED)
async def request_imports(
    person: Decider, portal: ThePortal, wanted: models.RequestImports, key: IdempotencyKey = None
) -> models.RequestedImports:
    """Ask for imports. A client that is only in the portal is asked for too, and fails as `client_not_linked`."""
    clients = await portal.reads.some_clients(person.tenant_id, wanted.client_ids)
    bulk_id = new_id(person, key, "bulk") if len(clients) > 1 else None
    commands = [
        requested(person, new_id(person, key, each.client_id), each, bulk_id=bulk_id) for each in clients
    ]
    await portal.commands.publish(person, commands)
    known = [each.client_id for each in clients]
    return models.RequestedImports(
        imports=[
            models.Requested(client_id=client_id, import_id=command.id)
            for client_id, command in zip(known, commands, strict=True)
        ],
        bulk_id=bulk_id,
        unknown=[each for each in wanted.client_ids if each not in known],
    )
