"""The commands that both the API and the console make of what staff want."""

from schemas.imports import ImportRequested, RequestPersonal
from schemas.people import AmendedClient
from schemas.portal import ClientAdded
from services.portal.commands import Command
from services.portal.importer import XpmClient
from services.portal.people import Person
from services.portal.records import Client


def client_from_xpm(command_id: str, person: Person, found: XpmClient) -> Command:
    """The command that adds an XPM client to the portal, linked. Its details come with the first import."""
    data = ClientAdded(
        client_id=command_id,
        xpm_client_id=found.xpm_client_id,
        added_by=person.name,
        personal=AmendedClient(name=found.name),
    )
    return Command(command_id, data)


def requested(person: Person, command_id: str, client: Client, bulk_id: str | None = None) -> Command:
    """The command that asks for an import of a client."""
    bulk = {"bulk_id": bulk_id} if bulk_id else {}
    linked = {"xpm_client_id": client.xpm_client_id} if client.xpm_client_id else {}
    data = ImportRequested(
        client_id=client.client_id,
        requested_by=person.name,
        personal=RequestPersonal(client_name=client.name),
        **linked,
        **bulk,
    )
    return Command(command_id, data)
