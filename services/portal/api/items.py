"""Review: what waits for a decision, and deciding it, one by one or many at once."""

from fastapi import APIRouter, status

from schemas.decisions import ItemIgnored, ItemImported, ItemLinked, SeenItem, SeenItemAndMember
from schemas.envelope import EventData
from services.portal.api import models
from services.portal.api.asking import (
    KNOWN,
    ClientId,
    Cursor,
    ItemId,
    Limit,
    Reader,
    Sender,
    ThePortal,
    cursor_of,
    place_of,
)
from services.portal.commands import Command
from services.portal.people import Person

router = APIRouter(tags=["review"])


@router.get("/clients/{client_id}/items")
async def list_items(
    person: Reader, portal: ThePortal, client_id: ClientId, cursor: Cursor = None, limit: Limit = 100
) -> models.Items:
    """The items of a client that wait for a decision, by name."""
    await portal.reads.client(person.tenant_id, client_id)
    page = await portal.reads.open_items(person.tenant_id, client_id, place_of(cursor), limit)
    return models.Items(items=[models.Item.of(each) for each in page.entries], next=cursor_of(page.last))


@router.get("/items/{item_id}")
async def show_item(person: Reader, portal: ThePortal, item_id: ItemId) -> models.Item:
    """One item, whatever became of it."""
    return models.Item.of(await portal.reads.item(person.tenant_id, item_id))


@router.post("/items/{item_id}/import", status_code=status.HTTP_202_ACCEPTED, responses=KNOWN)
async def import_item(sending: Sender, item_id: ItemId, wanted: models.ImportItem) -> models.CommandState:
    """Import the item as a new member of its client."""
    command = Command(sending.new_id(), _imported(sending.person, item_id, wanted))
    return await sending.one(command)


@router.post("/items/{item_id}/ignore", status_code=status.HTTP_202_ACCEPTED, responses=KNOWN)
async def ignore_item(sending: Sender, item_id: ItemId) -> models.CommandState:
    """Take the item off the list until the next import."""
    data = ItemIgnored(item_id=item_id, decided_by=sending.person.name)
    return await sending.one(Command(sending.new_id(), data))


@router.post("/items/{item_id}/link", status_code=status.HTTP_202_ACCEPTED, responses=KNOWN)
async def link_item(sending: Sender, item_id: ItemId, wanted: models.LinkItem) -> models.CommandState:
    """Link the item to a member, whose details it replaces."""
    command = Command(sending.new_id(), _linked(sending.person, item_id, wanted))
    return await sending.one(command)


@router.post(
    "/decisions", status_code=status.HTTP_202_ACCEPTED, responses={200: {"model": models.CommandStates}}
)
async def decide_many(sending: Sender, wanted: models.Decisions) -> models.CommandStates:
    """Decide many items at once; each may be refused on its own."""
    commands = [
        Command(sending.new_id(str(number), each.item_id), _decided(sending.person, each))
        for number, each in enumerate(wanted.decisions)
    ]
    return models.CommandStates(commands=await sending.all(commands))


def _decided(person: Person, wanted: models.Decision) -> EventData:
    if wanted.import_as is not None:
        return _imported(person, wanted.item_id, wanted.import_as)
    if wanted.link_to is not None:
        return _linked(person, wanted.item_id, wanted.link_to)
    return ItemIgnored(item_id=wanted.item_id, decided_by=person.name)


def _imported(person: Person, item_id: str, wanted: models.ImportItem) -> ItemImported:
    optional = {
        name: getattr(wanted, name)
        for name in ("relationship", "personal")
        if name in wanted.model_fields_set
    }
    return ItemImported(
        item_id=item_id,
        decided_by=person.name,
        seen=SeenItem(item=wanted.seen),
        co_owner=wanted.co_owner,
        **optional,
    )


def _linked(person: Person, item_id: str, wanted: models.LinkItem) -> ItemLinked:
    return ItemLinked(
        item_id=item_id,
        member_id=wanted.member_id,
        decided_by=person.name,
        seen=SeenItemAndMember(item=wanted.seen_item, member=wanted.seen_member),
    )
