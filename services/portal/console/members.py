"""People recorded by hand, amended, and removed; and whether an e-mail is free."""

from urllib.parse import quote

from pydantic import ValidationError
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
from services.portal.portal import Portal, decider, portal_of, reader
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


async def _new(request: Request) -> Response:
    person, portal = reader(request), portal_of(request)
    client = await portal.reads.client(person.tenant_id, path_part(request, "client_id"))
    return _form(request, client, None, {}, {}, co_owner=False)


async def _record(request: Request) -> Response:
    form = await request.form()
    person, portal = decider(request, text(form, "csrf")), portal_of(request)
    client = await portal.reads.client(person.tenant_id, path_part(request, "client_id"))
    typed = {field: text(form, field) for field in MEMBER_FIELDS}
    co_owner = text(form, "co_owner") == "yes"
    try:
        command = Command(
            given_id(form), _recorded(person, client.client_id, given_id(form), typed, {}, co_owner)
        )
    except ValidationError as error:
        return _form(request, client, None, typed, problems_of(error), co_owner=co_owner)
    answer = await _carry_out(portal, person, command)
    if answer.outcome is not None and answer.refused:
        return _form(request, client, None, typed, refusal(answer.outcome), co_owner=co_owner)
    said = f"{typed['name']} was recorded." if answer.applied else UNDER_WAY
    return done(request, said, f"/clients/{request.path_params['client_id']}")


async def _edit(request: Request) -> Response:
    person, portal = reader(request), portal_of(request)
    member = await portal.reads.member(person.tenant_id, path_part(request, "member_id"))
    client = await portal.reads.client(person.tenant_id, member.client_id)
    return _form(request, client, member, member.details, {}, co_owner=member.co_owner)


async def _amend(request: Request) -> Response:
    form = await request.form()
    person, portal = decider(request, text(form, "csrf")), portal_of(request)
    member = await portal.reads.member(person.tenant_id, path_part(request, "member_id"))
    client = await portal.reads.client(person.tenant_id, member.client_id)
    typed = {field: text(form, field) for field in MEMBER_FIELDS}
    shown = {field: text(form, f"shown.{field}") for field in MEMBER_FIELDS}
    co_owner = text(form, "co_owner") == "yes"
    try:
        data = _recorded(person, client.client_id, member.member_id, typed, shown, co_owner)
    except ValidationError as error:
        return _form(request, client, member, typed, problems_of(error), co_owner=co_owner)
    answer = await _carry_out(portal, person, Command(given_id(form), data))
    if answer.outcome is not None and answer.refused:
        return _form(request, client, member, typed, refusal(answer.outcome), co_owner=co_owner)
    said = f"{typed['name']} was saved." if answer.applied else UNDER_WAY
    return done(request, said, _page_of(client))


async def _ask_to_remove(request: Request) -> Response:
    person, portal = reader(request), portal_of(request)
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


def _recorded(
    person: Person,
    client_id: str,
    member_id: str,
    typed: Details,
    shown: Details,
    co_owner: bool,  # noqa: FBT001 - one of the member's details
) -> MemberRecorded:
    """The command for what was typed, with no more than what was changed."""
    changed = amended(typed, shown, PERSON_FIELDS)
    relationship = amended(typed, shown, ("relationship",))
    return MemberRecorded(
        member_id=member_id,
        client_id=client_id,
        co_owner=co_owner,
        recorded_by=person.name,
        personal=AmendedPerson.model_validate(changed),
        **relationship,
    )


async def _carry_out(portal: Portal, person: Person, command: Command) -> Answer:
    return await portal.commands.carry_out(person, command, portal.settings.outcome_seconds)


def _form(
    request: Request,
    client: Client,
    member: Member | None,
    values: Details,
    problems: Problems,
    *,
    co_owner: bool,
) -> Response:
    return page(
        request,
        "member_form.html",
        422 if problems else 200,
        client=client,
        member=member,
        values=values,
        problems=problems,
        co_owner=co_owner,
    )


def _page_of(client: Client) -> str:
    return f"/clients/{quote(client.client_id, safe='')}"
