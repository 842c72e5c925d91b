"""People recorded by hand, amended, and removed; and whether an e-mail is free."""

from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.people import AmendedPerson
from schemas.portal import MemberRecorded, MemberRemoved
from services.portal.commands import Answer, Command
from services.portal.console.clients import UNDER_WAY
from services.portal.console.forms import Problems, amended, given_id, problems_of, refusal, text
from services.portal.console.pages import done, page, path_part
from services.portal.people import Person
from services.portal.portal import Portal, decider, editor, portal_of, reader
from services.portal.records import MEMBER_FIELDS, PERSON_FIELDS, Client, Details, Member


def routes() -> list[Route]:
    return [
        Route("/clients/{client_id}/people/new", _new),
        Route("/clients/{client_id}/people/new", _record, methods=["POST"]),
        Route("/people/{member_id}", _edit),
        Route("/people/{member_id}", _amend, methods=["POST"]),
        Route("/people/{member_id}/remove", _ask_to_remove),
        Route("/people/{member_id}/remove", _remove, methods=["POST"]),
        Route("/emails/check", _check_email),
    ]


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands in the form, and what stood there when it was shown: only what differs is told."""

    typed: Details
    shown: Details
    co_owner: bool = False
    was_co_owner: bool = False

    @classmethod
    def of(cls, member: Member) -> Self:
        """As the form begins."""
        return cls(member.details, member.details, member.co_owner, member.co_owner)

    @classmethod
    def sent(cls, form: FormData) -> Self:
        return cls(
            {field: text(form, field) for field in MEMBER_FIELDS},
            {field: text(form, f"shown.{field}") for field in MEMBER_FIELDS},
            text(form, "co_owner") == "yes",
            text(form, "shown.co_owner") == "yes",
        )

    def command(self, command_id: str, person: Person, client: Client, member_id: str) -> Command:
        """The command that tells it. Raises `ValidationError`."""
        more: dict[str, Any] = dict(amended(self.typed, self.shown, ("relationship",)))
        if self.co_owner != self.was_co_owner:
            more["co_owner"] = self.co_owner
        data = MemberRecorded(
            member_id=member_id,
            client_id=client.client_id,
            recorded_by=person.name,
            personal=AmendedPerson.model_validate(amended(self.typed, self.shown, PERSON_FIELDS)),
            **more,
        )
        return Command(command_id, data)


async def _new(request: Request) -> Response:
    person, portal = editor(request), portal_of(request)
    client = await portal.reads.client(person.tenant_id, path_part(request, "client_id"))
    return _form(request, client, None, Entry({}, {}), {})


async def _record(request: Request) -> Response:
    form = await request.form()
    person, portal = decider(request, text(form, "csrf")), portal_of(request)
    client = await portal.reads.client(person.tenant_id, path_part(request, "client_id"))
    member_id = given_id(form)
    return await _save(request, person, client, None, Entry.sent(form), member_id, member_id)


async def _edit(request: Request) -> Response:
    person, portal = editor(request), portal_of(request)
    member = await portal.reads.member(person.tenant_id, path_part(request, "member_id"))
    client = await portal.reads.client(person.tenant_id, member.client_id)
    return _form(request, client, member, Entry.of(member), {})


async def _amend(request: Request) -> Response:
    form = await request.form()
    person, portal = decider(request, text(form, "csrf")), portal_of(request)
    member = await portal.reads.member(person.tenant_id, path_part(request, "member_id"))
    client = await portal.reads.client(person.tenant_id, member.client_id)
    return await _save(request, person, client, member, Entry.sent(form), given_id(form), member.member_id)


async def _save(
    request: Request,
    person: Person,
    client: Client,
    member: Member | None,
    entry: Entry,
    command_id: str,
    member_id: str,
) -> Response:
    """Tell what was entered; or the form again, with what is wrong."""
    try:
        command = entry.command(command_id, person, client, member_id)
    except ValidationError as error:
        return _form(request, client, member, entry, problems_of(error))
    answer = await _carry_out(portal_of(request), person, command)
    if answer.outcome is not None and answer.refused:
        return _form(request, client, member, entry, refusal(answer.outcome))
    said = f"{entry.typed['name']} was {'saved' if member else 'recorded'}."
    return done(request, said if answer.applied else UNDER_WAY, _page_of(client))


async def _ask_to_remove(request: Request) -> Response:
    person, portal = editor(request), portal_of(request)
    member = await portal.reads.member(person.tenant_id, path_part(request, "member_id"))
    return page(request, "member_remove.html", member=member, problems={})


async def _remove(request: Request) -> Response:
    form = await request.form()
    person, portal = decider(request, text(form, "csrf")), portal_of(request)
    member = await portal.reads.member(person.tenant_id, path_part(request, "member_id"))
    client = await portal.reads.client(person.tenant_id, member.client_id)
    data = MemberRemoved(member_id=member.member_id, client_id=member.client_id, removed_by=person.name)
    answer = await _carry_out(portal, person, Command(given_id(form), data))
    if answer.outcome is not None and answer.refused:
        return page(request, "member_remove.html", 422, member=member, problems=refusal(answer.outcome))
    return done(request, f"{member.name} was removed." if answer.applied else UNDER_WAY, _page_of(client))


async def _check_email(request: Request) -> Response:
    """Whether another co-owner or account has the e-mail; said early, and checked again when it is saved."""
    person, portal = reader(request), portal_of(request)
    asked = request.query_params
    email, member_id = asked.get("email", "").strip(), asked.get("member_id")
    holder = await portal.reads.email_holder(person.tenant_id, email) if email else None
    free = holder is None or (member_id is not None and holder.member_id == member_id)
    return page(request, "email_check.html", email=email, holder=None if free else holder)


async def _carry_out(portal: Portal, person: Person, command: Command) -> Answer:
    return await portal.commands.carry_out(person, command, portal.settings.outcome_seconds)


def _form(
    request: Request, client: Client, member: Member | None, entry: Entry, problems: Problems
) -> Response:
    return page(
        request,
        "member_form.html",
        422 if problems else 200,
        client=client,
        member=member,
        entry=entry,
        problems=problems,
    )


def _page_of(client: Client) -> str:
    return f"/clients/{quote(client.client_id, safe='')}"
