"""The practice's connection to XPM, through the importer."""

from fastapi import APIRouter, Response, status
from starlette.requests import Request

from services.portal.api import models
from services.portal.api.asking import Decider, Reader, ThePortal
from services.portal.importer import Connection
from services.portal.people import keep_proof
from services.portal.portal import public_url
from worker.problems import Problem

router = APIRouter(tags=["connection"])


@router.get("/connection")
async def show_connection(person: Reader, portal: ThePortal) -> Connection:
    """How the practice stands with XPM."""
    return await portal.importer.connection(person.tenant_id)


@router.post("/connection/authorize")
async def begin_to_connect(
    request: Request, person: Decider, portal: ThePortal, wanted: models.AuthorizeRequest
) -> models.Authorize:
    """Where the browser goes to consent. It comes back with `?connection=confirm&ticket=...`, or `failed&reason=...`.

    Nothing is connected before the ticket is brought back with the proof. A session of the console keeps the proof too.
    """
    ours = public_url(request, "/integrations")
    back = wanted.return_url or ours
    if back != ours and not back.startswith(public_url(request, "/")):
        raise Problem(400, "foreign-return-url", "The browser comes back to the portal, and nowhere else.")
    begun = await portal.importer.authorize(person.tenant_id, back, person.name)
    if person.csrf is not None:
        keep_proof(request, begun.proof)
    return models.Authorize(authorize_url=begun.authorize_url, proof=begun.proof)


@router.post("/connection/complete")
async def complete_connecting(
    person: Decider, portal: ThePortal, brought: models.CompleteRequest
) -> models.Completed:
    """Connect the practice, in the browser that was sent to consent."""
    outcome = await portal.importer.complete(person.tenant_id, brought.ticket, brought.proof)
    return models.Completed(connection=outcome.connection, reason=outcome.reason)


@router.post("/connection/practice", status_code=status.HTTP_204_NO_CONTENT)
async def choose_practice(person: Decider, portal: ThePortal, chosen: models.ChoosePractice) -> Response:
    """Choose among the practices that the consent gave access to."""
    await portal.importer.choose(person.tenant_id, chosen.connection_id, person.name)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.delete("/connection", status_code=status.HTTP_204_NO_CONTENT)
async def disconnect(person: Decider, portal: ThePortal) -> Response:
    """End the practice's connection to XPM."""
    await portal.importer.disconnect(person.tenant_id, person.name)
    return Response(status_code=status.HTTP_204_NO_CONTENT)
