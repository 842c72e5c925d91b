"""Members: the people of a client, recorded by hand or brought by imports."""

from typing import Annotated

from fastapi import APIRouter, Query, status

from schemas.portal import MemberRecorded, MemberRemoved
from services.portal.api import models
from services.portal.api.asking import (
    KNOWN,
    ClientId,
    MemberId,
    Reader,
    Sender,
    ThePortal,
)
from services.portal.commands import Command

router = APIRouter(tags=["members"])


@router.get("/clients/{client_id}/members")
async def list_members(person: Reader, portal: ThePortal, client_id: ClientId) -> models.Members:
    """The people of a client, by name, with where each came from."""
    await portal.reads.client(person.tenant_id, client_id)
    members = await portal.reads.members(person.tenant_id, client_id)
    return models.Members(members=[models.Member.of(each) for each in members])


@router.post("/clients/{client_id}/members", status_code=status.HTTP_202_ACCEPTED, responses=KNOWN)
async def record_member(
    sending: Sender, client_id: ClientId, new: models.RecordMember
) -> models.CommandState:
    """Record a person by hand. Their id is the command's."""
    recorded = sending.new_id()
    data = MemberRecorded(
        member_id=recorded, client_id=client_id, recorded_by=sending.person.name, **new.told()
    )
    return await sending.one(Command(recorded, data))


@router.get("/members/{member_id}")
async def show_member(person: Reader, portal: ThePortal, member_id: MemberId) -> models.Member:
    """One person."""
    return models.Member.of(await portal.reads.member(person.tenant_id, member_id))


@router.patch("/members/{member_id}", status_code=status.HTTP_202_ACCEPTED, responses=KNOWN)
async def amend_member(
    sending: Sender, member_id: MemberId, changed: models.RecordMember
) -> models.CommandState:
    """Amend a person. What is changed on one that is linked is kept at later imports."""
    member = await sending.portal.reads.member(sending.person.tenant_id, member_id)
    data = MemberRecorded(
        member_id=member_id, client_id=member.client_id, recorded_by=sending.person.name, **changed.told()
    )
    return await sending.one(Command(sending.new_id(), data))


@router.delete("/members/{member_id}", status_code=status.HTTP_202_ACCEPTED, responses=KNOWN)
async def remove_member(sending: Sender, member_id: MemberId) -> models.CommandState:
    """Remove a person: their co-owner e-mail is free and their link ends."""
    member = await sending.portal.reads.member(sending.person.tenant_id, member_id)
    data = MemberRemoved(member_id=member_id, client_id=member.client_id, removed_by=sending.person.name)
    return await sending.one(Command(sending.new_id(), data))


@router.get("/co-owner-emails")
async def check_email(
    person: Reader,
    portal: ThePortal,
    email: Annotated[str, Query(min_length=1, max_length=320, pattern=r"^[^\x00]*$")],
) -> models.EmailHolder:
    """Whether a co-owner could have this e-mail."""
    holder = await portal.reads.email_holder(person.tenant_id, email)
    return models.EmailHolder(free=holder is None, held_by=holder.who if holder else None)
