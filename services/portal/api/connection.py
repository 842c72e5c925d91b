"""The practice's connection to XPM, through the importer."""

from fastapi import APIRouter, Response, status
from starlette.requests import Request

from services.portal.api import models
from services.portal.api.asking import Decider, Reader, ThePortal
from services.portal.importer import Connection
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
    """Where the browser goes to consent; it comes back with `?connection=connected|choose_practice|failed`."""
    ours = public_url(request, "/integrations")
    back = wanted.return_url or ours
    if back != ours and not back.startswith(public_url(request, "/")):
        raise Problem(400, "foreign-return-url", "The browser comes back to the portal, and nowhere else.")
    return models.Authorize(
        authorize_url=await portal.importer.authorize(person.tenant_id, back, person.name)
    )


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
