"""Review: the people that came through, and what staff decide about each."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from urllib.parse import quote

from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.decisions import ItemIgnored, ItemImported, ItemLinked, SeenItem, SeenItemAndMember
from schemas.ids import derived_id
from schemas.outcomes import OutcomeRecorded
from schemas.people import AmendedPerson
from services.portal.commands import Answer, Command
from services.portal.console.clients import UNDER_WAY
from services.portal.console.forms import (
    Problems,
    amended,
    as_typed,
    given_id,
    problems_of,
    refusal,
    several,
    text,
)
from services.portal.console.pages import done, page, path_part
from services.portal.console.previews import Difference, changed_since, preview
from services.portal.people import Person
from services.portal.portal import Portal, decider, editor, portal_of, reader
from services.portal.reads import Place
from services.portal.records import MEMBER_FIELDS, PERSON_FIELDS, Item, Member
from worker.problems import Problem

PAGE = 200
MOST_AT_ONCE = 500
FOLDED = frozenset({"phone", "title", "date_of_birth", "address", "gender"})
"""The fields that are folded away as long as nothing is wrong with them."""


def routes() -> list[Route]:
    return [
        Route("/clients/{client_id}/review", _list),
        Route("/clients/{client_id}/review/ignore", _ignore_several, methods=["POST"]),
        Route("/items/{item_id}/import", _ask_to_import),
        Route("/items/{item_id}/import", _import, methods=["POST"]),
        Route("/items/{item_id}/ignore", _ignore, methods=["POST"]),
        Route("/items/{item_id}/link", _ask_to_link),
        Route("/items/{item_id}/link", _link, methods=["POST"]),
    ]


async def _list(request: Request) -> Response:
    person, portal = reader(request), portal_of(request)
    client = await portal.reads.client(person.tenant_id, path_part(request, "client_id"))
    found = await portal.reads.open_items(person.tenant_id, client.client_id, _after(request), PAGE)
    states = await portal.reads.item_states(person.tenant_id, client.client_id)
    template = "review_list.html" if "list" in request.query_params else "review.html"
    return page(request, template, client=client, found=found, states=states)


async def _ask_to_import(request: Request) -> Response:
    person, portal = editor(request), portal_of(request)
    item = await portal.reads.item(person.tenant_id, path_part(request, "item_id"))
    if item.state != "pending":
        return _decided(request, item)
    return _import_form(request, item, item.values, {}, co_owner=False)


async def _import(request: Request) -> Response:
    form = await request.form()
    person, portal = decider(request, text(form, "csrf")), portal_of(request)
    item = await portal.reads.item(person.tenant_id, path_part(request, "item_id"))
    typed, shown = _typed(form), _shown(form)
    co_owner = text(form, "co_owner") == "yes"
    try:
        command = Command(given_id(form), _imported(form, person, item, co_owner))
    except ValidationError as error:
        return _import_form(request, item, typed, problems_of(error), co_owner=co_owner, shown=shown)
    answer = await _carry_out(portal, person, command)
    if answer.outcome is not None and answer.refused:
        return await _import_refused(request, person, answer.outcome, item, typed, shown)
    return done(request, _said(answer, f"{typed['name']} was imported."), _review_of(item))


async def _import_refused(
    request: Request,
    person: Person,
    outcome: OutcomeRecorded,
    item: Item,
    typed: Mapping[str, str],
    shown: Mapping[str, str],
) -> Response:
    """The form again, with what the rule says; or who was faster."""
    if outcome.reason in {"already_decided", "item_withdrawn"}:
        return _decided(request, await portal_of(request).reads.item(person.tenant_id, item.item_id))
    co_owner = text(await request.form(), "co_owner") == "yes"
    if outcome.reason != "changed_since_seen":
        return _import_form(request, item, typed, refusal(outcome), co_owner=co_owner, shown=shown)
    present = await portal_of(request).reads.item(person.tenant_id, item.item_id)
    kept = {field: value for field, value in typed.items() if value != as_typed(field, shown.get(field, ""))}
    return _import_form(
        request,
        present,
        {**present.values, **kept},
        refusal(outcome),
        co_owner=co_owner,
        changed=changed_since(shown, present.values),
    )


async def _ask_to_link(request: Request) -> Response:
    person, portal = editor(request), portal_of(request)
    item = await portal.reads.item(person.tenant_id, path_part(request, "item_id"))
    if item.state != "pending":
        return _decided(request, item)
    members = await _linkable(portal, person, item)
    chosen = next((it for it in members if it.member_id == request.query_params.get("member_id")), None)
    if "preview" in request.query_params:
        return page(
            request, "link_preview.html", item=item, chosen=chosen, lines=chosen and preview(item, chosen)
        )
    return _link_form(request, item, members, chosen, {})


async def _link(request: Request) -> Response:
    form = await request.form()
    person, portal = decider(request, text(form, "csrf")), portal_of(request)
    item = await portal.reads.item(person.tenant_id, path_part(request, "item_id"))
    try:
        data = ItemLinked(
            item_id=item.item_id,
            member_id=text(form, "member_id"),
            decided_by=person.name,
            seen=SeenItemAndMember(item=text(form, "seen_item"), member=text(form, "seen_member")),
        )
    except ValidationError:
        chosen_first = {"member_id": "Choose a person first, and look at what changes."}
        return _link_form(request, item, await _linkable(portal, person, item), None, chosen_first)
    answer = await _carry_out(portal, person, Command(given_id(form), data))
    if answer.outcome is not None and answer.refused:
        return await _link_refused(request, person, answer.outcome, item, data.member_id)
    return done(request, _said(answer, f"{item.name} was linked."), _review_of(item))


async def _link_refused(
    request: Request, person: Person, outcome: OutcomeRecorded, item: Item, member_id: str
) -> Response:
    portal = portal_of(request)
    item = await portal.reads.item(person.tenant_id, item.item_id)
    if outcome.reason in {"already_decided", "item_withdrawn"}:
        return _decided(request, item)
    members = await _linkable(portal, person, item)
    chosen = next((each for each in members if each.member_id == member_id), None)
    changed: list[tuple[str, Sequence[Difference]]] = []
    if outcome.reason == "changed_since_seen" and chosen is not None:
        form = await request.form()
        changed = [
            ("In Xero Practice Manager", changed_since(_shown(form, "shown_item"), item.values)),
            (chosen.name, changed_since(_shown(form, "shown_member"), chosen.details)),
        ]
    return _link_form(request, item, members, chosen, refusal(outcome), changed)


async def _ignore(request: Request) -> Response:
    form = await request.form()
    person, portal = decider(request, text(form, "csrf")), portal_of(request)
    item = await portal.reads.item(person.tenant_id, path_part(request, "item_id"))
    answer = await _carry_out(portal, person, _ignored(person, given_id(form), item.item_id))
    if answer.outcome is None or answer.applied:
        return done(request, _said(answer, f"{item.name} was ignored."), _review_of(item))
    present = await portal.reads.item(person.tenant_id, item.item_id)
    if (
        present.state == "pending"
    ):  # nobody was faster, so it is for another reason that a person can't do much about
        raise Problem(HTTPStatus.CONFLICT, "refused", answer.outcome.message or "This was refused.")
    return _decided(request, present)


async def _ignore_several(request: Request) -> Response:
    form = await request.form()
    person, portal = decider(request, text(form, "csrf")), portal_of(request)
    item_ids = several(form, "item_id")[:MOST_AT_ONCE]
    first_id = given_id(form)
    commands = [_ignored(person, first_id, item_id) for item_id in item_ids]
    answers = await portal.commands.carry_out_all(person, commands, portal.settings.outcome_seconds)
    where = f"/clients/{request.path_params['client_id']}/review"
    return done(request, _said_of_several(answers), where)


def _ignored(person: Person, form_id: str, item_id: str) -> Command:
    """The command for one item of a list; all of the list's commands come from one form."""
    command_id = derived_id(person.tenant_id, "portal", form_id, item_id)
    return Command(command_id, ItemIgnored(item_id=item_id, decided_by=person.name))


def _imported(form: FormData, person: Person, item: Item, co_owner: bool) -> ItemImported:  # noqa: FBT001 - one of its details
    typed, shown = _typed(form), _shown(form)
    return ItemImported(
        item_id=item.item_id,
        decided_by=person.name,
        seen=SeenItem(item=text(form, "seen_item")),
        co_owner=co_owner,
        personal=AmendedPerson.model_validate(amended(typed, shown, PERSON_FIELDS)),
        **amended(typed, shown, ("relationship",)),
    )


def _typed(form: FormData) -> dict[str, str]:
    return {field: text(form, field) for field in MEMBER_FIELDS if field in form}


def _shown(form: FormData, of: str = "shown") -> dict[str, str]:
    """What stood there when the form was made."""
    return {field: text(form, f"{of}.{field}") for field in MEMBER_FIELDS}


def _import_form(
    request: Request,
    item: Item,
    values: Mapping[str, str],
    problems: Problems,
    *,
    co_owner: bool,
    shown: Mapping[str, str] | None = None,
    changed: Sequence[Difference] = (),
) -> Response:
    return page(
        request,
        "item_import.html",
        422 if problems else 200,
        item=item,
        values=values,
        shown=item.values if shown is None else shown,
        problems=problems,
        more=bool(problems.keys() & FOLDED),
        co_owner=co_owner,
        changed=changed,
    )


def _link_form(
    request: Request,
    item: Item,
    members: Sequence[Member],
    chosen: Member | None,
    problems: Problems,
    changed: Sequence[tuple[str, Sequence[Difference]]] = (),
) -> Response:
    return page(
        request,
        "item_link.html",
        422 if problems else 200,
        item=item,
        members=members,
        chosen=chosen,
        lines=chosen and preview(item, chosen),
        problems=problems,
        changed=changed,
    )


def _decided(request: Request, item: Item) -> Response:
    """Somebody was faster, or XPM changed: who and when, or why."""
    return page(request, "item_decided.html", 409, item=item)


async def _linkable(portal: Portal, person: Person, item: Item) -> list[Member]:
    members = await portal.reads.members(person.tenant_id, item.client_id)
    return [member for member in members if not member.is_linked]


async def _carry_out(portal: Portal, person: Person, command: Command) -> Answer:
    return await portal.commands.carry_out(person, command, portal.settings.outcome_seconds)


def _said(answer: Answer, sentence: str) -> str:
    return sentence if answer.applied else UNDER_WAY


def _said_of_several(answers: Sequence[Answer]) -> str:
    applied = sum(answer.applied for answer in answers)
    refused = sum(answer.refused for answer in answers)
    if not answers:
        return "Nothing was selected."
    said = [f"{applied} ignored"]
    if refused:
        said.append(f"{refused} had been dealt with by somebody else")
    if late := len(answers) - applied - refused:
        said.append(f"{late} still being processed")
    return ", ".join(said) + "."


def _review_of(item: Item) -> str:
    return f"/clients/{quote(item.client_id, safe='')}/review"


def _after(request: Request) -> Place | None:
    name, item_id = request.query_params.get("after"), request.query_params.get("after_id")
    return Place(name, item_id) if name is not None and item_id is not None else None
