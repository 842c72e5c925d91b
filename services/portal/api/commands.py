"""What a command came to: for callers that did not wait, or come back after a restart of anything."""

from fastapi import APIRouter

from services.portal.api import models
from services.portal.api.asking import CommandId, Reader, ThePortal, Wait
from worker.problems import Problem

router = APIRouter(tags=["commands"])


@router.get("/commands/{command_id}")
async def show_command(
    person: Reader, portal: ThePortal, command_id: CommandId, wait: Wait = 0
) -> models.CommandState:
    """What a command came to. 404 as long as nothing is known of it: it is on its way, or there is none."""
    outcome = await portal.commands.outcome(person.tenant_id, command_id, wait)
    if outcome is None:
        raise Problem(404, "no-outcome-yet", "It is not known what this command came to; ask again.")
    return models.CommandState.of(command_id, outcome)
