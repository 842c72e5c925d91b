"""Clients: the list, searching XPM, adding from there and by hand."""

from typing import Annotated

from fastapi import APIRouter, Query, status

from schemas.portal import ClientAdded
from services.portal.api import models
from services.portal.api.asking import (
    KNOWN,
    ClientId,
    Cursor,
    Limit,
    Reader,
    Sender,
    ThePortal,
    cursor_of,
    place_of,
)
from services.portal.commands import Command
from services.portal.composing import client_from_xpm

router = APIRouter(tags=["clients"])

Search = Annotated[
    str | None, Query(max_length=200, pattern=r"^[^\x00]*$", description="A part of the client's name")
]


@router.get("/me")
async def me(person: Reader) -> models.Me:
    """Who asks, and what they may do."""
    return models.Me(
        tenant_id=person.tenant_id,
        name=person.name,
        practice=person.practice,
        role=person.role,
        csrf=person.csrf,
    )


@router.get("/clients")
async def list_clients(
    person: Reader, portal: ThePortal, search: Search = None, cursor: Cursor = None, limit: Limit = 50
) -> models.Clients:
    """The practice's clients by name."""
    page = await portal.reads.clients(person.tenant_id, search, place_of(cursor), limit)
    return models.Clients(
        clients=[models.Client.of(each) for each in page.entries], next=cursor_of(page.last)
    )


@router.get("/clients/{client_id}")
async def show_client(person: Reader, portal: ThePortal, client_id: ClientId) -> models.Client:
    """One client."""
    return models.Client.of(await portal.reads.client(person.tenant_id, client_id))


@router.post("/clients", status_code=status.HTTP_202_ACCEPTED, responses=KNOWN)
async def add_client(sending: Sender, new: models.AddClient) -> models.CommandState:
    """Add a client by hand. Its id is the command's."""
    added = sending.new_id()
    data = ClientAdded(client_id=added, added_by=sending.person.name, personal=new.personal)
    return await sending.one(Command(added, data))


@router.get("/xpm-clients")
async def search_xpm(
    person: Reader,
    portal: ThePortal,
    query: Annotated[str, Query(min_length=2, max_length=200, pattern=r"^[^\x00]*$")],
) -> models.XpmClients:
    """Search the practice's clients in XPM."""
    found = await portal.importer.search(person.tenant_id, query)
    present = await portal.reads.clients_of_xpm(person.tenant_id, [each.xpm_client_id for each in found])
    return models.XpmClients(
        clients=[
            models.XpmClient(**each.model_dump(), client_id=present.get(each.xpm_client_id)) for each in found
        ]
    )


@router.post("/clients/from-xpm", status_code=status.HTTP_202_ACCEPTED, responses=KNOWN)
async def add_client_from_xpm(sending: Sender, wanted: models.AddFromXpm) -> models.CommandState:
    """Add a client from XPM, linked to its record there. Its id is the command's."""
    found = await sending.portal.importer.client(sending.person.tenant_id, wanted.xpm_client_id)
    command = client_from_xpm(sending.new_id(), sending.person, found)
    return await sending.one(command)
