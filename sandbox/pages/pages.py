"""The pages: each form sends one change, and the page that follows says what came of it."""

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox import pairs
from sandbox.dialect import Dialect
from sandbox.document import KNOWN_FIELDS
from sandbox.faults import MEANINGS, Problem
from sandbox.pages import forms
from sandbox.pages.forms import Mistake, Typed
from sandbox.pages.listing import Listing, choices, listing
from sandbox.practice import Party, Practice
from sandbox.state import Sandbox, Tenancy

Act = Callable[[Request, Typed], str]
"""Makes a change; returns where to go to see it."""

Show = Callable[..., Response]

SAID = {
    "added": "The client was added.",
    "changed": "The record was changed.",
    "related": "The relationship was added.",
    "ended": "The relationship was changed.",
    "unrelated": "The relationship was taken away.",
    "gone": "The record was taken away altogether. What points to it leads nowhere now.",
    "trouble": "From now on this goes wrong.",
    "calm": "Nothing goes wrong any more.",
    "answers": "From now on the API answers so.",
}
_OFFERED_NAMES = 500


class Pages:
    """The pages over one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._templates = Environment(
            loader=PackageLoader("sandbox.pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
        )

    def app(self) -> Starlette:
        practice, client = "/{tenant}", "/{tenant}/{uuid}"
        forms_of: dict[str, tuple[Show, Act]] = {
            "/trouble": (self._home, self._make_trouble),
            "/trouble/end": (self._home, self._end_trouble),
            "/answers": (self._home, self._choose_answers),
            f"{practice}/clients": (self._practice, self._add_client),
            f"{client}/fields": (self._client, self._change_fields),
            f"{client}/state": (self._client, self._change_state),
            f"{client}/relationships": (self._client, self._relate),
            f"{client}/relationships/{{relationship}}": (self._client, self._change_relationship),
        }
        shows: dict[str, Show] = {"/": self._home, practice: self._practice, client: self._client}
        return Starlette(
            routes=[
                *(Route(path, partial(_shown, show)) for path, show in shows.items()),
                *(
                    Route(path, partial(_acted, show, act), methods=["POST"])
                    for path, (show, act) in forms_of.items()
                ),
            ],
            exception_handlers={KeyError: self._not_there},
        )

    def _home(self, request: Request, mistake: Mistake | None = None) -> Response:
        return self._page(
            request,
            "home.html",
            mistake,
            tenancies=list(self._sandbox.tenancies.values()),
            faults=list(self._sandbox.faults),
            meanings=MEANINGS,
            problems=choices(Problem),
            dialect=self._sandbox.dialect,
            choices={
                name: (field.description, choices(field.annotation))
                for name, field in Dialect.model_fields.items()
            },
            calls=sorted(self._sandbox.calls.items(), key=lambda it: (it[0].method, it[0].status)),
        )

    def _practice(self, request: Request, mistake: Mistake | None = None) -> Response:
        tenancy = self._tenancy(request)
        found: Listing = listing(tenancy.practice, request.query_params)
        return self._page(request, "practice.html", mistake, tenancy=tenancy, found=found)

    def _client(self, request: Request, mistake: Mistake | None = None) -> Response:
        tenancy = self._tenancy(request)
        party = tenancy.practice.parties[request.path_params["uuid"]]
        names = sorted(
            {other.name.strip() for other in tenancy.practice.parties.values() if other is not party}
        )
        return self._page(
            request,
            "client.html",
            mistake,
            tenancy=tenancy,
            party=party,
            ties=[
                (tie, tenancy.practice.name_of(tie), tie.party_uuid in tenancy.practice.parties)
                for tie in party.relationships
            ],
            more_fields=sorted(KNOWN_FIELDS - party.fields.keys()),
            as_day=forms.as_day,
            words=pairs.WORDS,
            names=names[:_OFFERED_NAMES],
        )

    def _make_trouble(self, request: Request, typed: Typed) -> str:
        self._sandbox.faults.add(forms.fault(typed))
        return _home(request, "trouble")

    def _end_trouble(self, request: Request, _: Typed) -> str:
        self._sandbox.faults.clear()
        self._sandbox.dead_tokens.clear()
        return _home(request, "calm")

    def _choose_answers(self, request: Request, typed: Typed) -> str:
        chosen: dict[str, object] = {
            name: {"yes": True, "no": False}.get(value, value)
            for name in Dialect.model_fields
            if (value := typed.get(name))
        }
        self._sandbox.dialect = Dialect.model_validate(chosen)
        return _home(request, "answers")

    def _add_client(self, request: Request, typed: Typed) -> str:
        structure, email = forms.text(typed, "structure"), forms.text(typed, "email")
        more = {"BusinessStructure": structure, "Email": email}
        fields = {"Name": forms.name_of_new(typed), **{name: value for name, value in more.items() if value}}
        party = Party(str(uuid4()), dict(fields), changed_at=self._sandbox.now())
        self._tenancy(request).practice.add(party)
        return _client(request, "added", party.uuid)

    def _change_fields(self, request: Request, typed: Typed) -> str:
        practice, party = self._record(request)
        practice.amend(party.uuid, dict(forms.changed_fields(typed, party)), self._sandbox.now())
        return _client(request, "changed")

    def _change_state(self, request: Request, typed: Typed) -> str:
        practice, party = self._record(request)
        match typed.get("to"):
            case "gone":
                practice.remove(party.uuid)
                return _practice(request, "gone")
            case "archived" | "current" as to:
                practice.mark(party.uuid, self._sandbox.now(), archived=to == "archived")
            case "deleted" | "undeleted" as to:
                practice.mark(party.uuid, self._sandbox.now(), deleted=to == "deleted")
        return _client(request, "changed")

    def _relate(self, request: Request, typed: Typed) -> str:
        practice, party = self._record(request)
        row = forms.new_relationship(typed, practice)
        pairs.relate(practice, party.uuid, row, self._sandbox.now_for_ties(), both="both" in typed)
        return _client(request, "related")

    def _change_relationship(self, request: Request, typed: Typed) -> str:
        practice, party = self._record(request)
        row, now, both = request.path_params["relationship"], self._sandbox.now_for_ties(), "both" in typed
        if typed.get("do") == "remove":
            pairs.unrelate(practice, party.uuid, row, now, both=both)
            return _client(request, "unrelated")
        pairs.end(practice, party.uuid, row, forms.day(typed, "end"), now, both=both)
        return _client(request, "ended")

    def _tenancy(self, request: Request) -> Tenancy:
        return self._sandbox.tenancies[request.path_params["tenant"]]

    def _record(self, request: Request) -> tuple[Practice, Party]:
        practice = self._tenancy(request).practice
        return practice, practice.parties[request.path_params["uuid"]]

    def _page(self, request: Request, template: str, mistake: Mistake | None, **what: Any) -> Response:
        content = self._templates.get_template(template).render(
            root=request.scope["root_path"],
            said=SAID.get(request.query_params.get("said", "")),
            mistake=mistake,
            typed=defaultdict(str, mistake.typed if mistake else {}),
            **what,
        )
        return HTMLResponse(content, 422 if mistake else 200)

    async def _not_there(self, request: Request, _: Exception) -> Response:
        content = self._templates.get_template("gone.html").render(
            root=request.scope["root_path"], said=None, mistake=None
        )
        return HTMLResponse(content, 404)


async def _shown(show: Show, request: Request) -> Response:
    return show(request)


async def _acted(show: Show, act: Act, request: Request) -> Response:
    async with request.form() as form:
        typed = {name: value for name, value in form.items() if isinstance(value, str)}
    try:
        return RedirectResponse(act(request, typed), 303)
    except Mistake as mistake:
        mistake.typed = typed
        return show(request, mistake)


def _home(request: Request, said: str) -> str:
    return f"{request.scope['root_path']}/?said={said}"


def _practice(request: Request, said: str) -> str:
    return f"{request.scope['root_path']}/{request.path_params['tenant']}?said={said}"


def _client(request: Request, said: str, uuid: str | None = None) -> str:
    where = uuid or request.path_params["uuid"]
    return f"{request.scope['root_path']}/{request.path_params['tenant']}/{where}?said={said}"
