"""
The sandbox's own API under `/sandbox`: look at its practices, change them while it runs, and ask for trouble.

| call | what it does |
| --- | --- |
| `GET /practices` | the practices with their tenant ids and tokens |
| `GET /practices/{tenant}/parties?name=` | records, also archived and deleted ones, by part of a name |
| `POST /practices/{tenant}/parties` | add a record (`NewParty`) |
| `GET, PATCH, DELETE /practices/{tenant}/parties/{uuid}` | see, amend (`PartyChange`), take away |
| `POST .../parties/{uuid}/relationships` | write a relationship on that record (`NewRelationship`) |
| `PATCH, DELETE .../relationships/{relationship}` | give it an end date (`End`), or take it away |
| `GET, POST, DELETE /faults` | what is wrong now; add a `Fault`; clear them all |
| `GET, PUT /dialect` | how the API answers where nobody knows how XPM does (`Dialect`) |
| `GET, DELETE /calls` | how often each method was answered with each status; start counting anew |

A change of a relationship is made on one record only unless the query says `both=true`: then its counterpart on the
other record follows, as in XPM's own screens. Answers: 404 for what is not there, 409 for an id that is taken, 422 with
reasons for a body that does not fit. People find the same on the pages under `/sandbox` (`pages`).
"""

import json
import re
from typing import Annotated
from uuid import uuid4

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox import pairs
from sandbox import practice as world
from sandbox.dialect import Dialect
from sandbox.document import KNOWN_FIELDS
from sandbox.faults import Fault
from sandbox.state import Sandbox

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SHOWN = 200


def _expressible(text: str) -> str:
    if _NOT_XML.search(text):
        raise ValueError("a character that XML cannot hold")
    return text


def _known(name: str) -> str:
    if name not in KNOWN_FIELDS:
        raise ValueError(f"not an element of a client record: {name}")
    return name


Text = Annotated[str, AfterValidator(_expressible)]
FieldName = Annotated[str, AfterValidator(_known)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class NewParty(_Body):
    """A record to add; `fields` by the names of their XML elements."""

    name: Text
    uuid: Text | None = None
    fields: dict[FieldName, Text] = Field(default_factory=dict)


class PartyChange(_Body):
    """What to change; a field that is null becomes absent."""

    fields: dict[FieldName, Text | None] = Field(default_factory=dict)
    archived: bool | None = None
    deleted: bool | None = None


class NewRelationship(_Body):
    """A row for the Relationships of a record; what is left out is absent."""

    type: Text
    party: Text
    party_name: Text = ""
    uuid: Text | None = None
    shares: Text | None = None
    percentage: Text | None = None
    start: Text | None = None
    end: Text | None = None


class End(_Body):
    """The end date of a relationship as XPM shall print it; null takes it away."""

    end: Text | None


class Admin:
    """The endpoints over one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def app(self) -> Starlette:
        party = "/practices/{tenant}/parties/{uuid}"
        relationship = f"{party}/relationships/{{relationship}}"
        routes = [
            Route("/", self.pages),
            Route("/pages", self.pages),
            Route("/practices", self.practices),
            Route("/practices/{tenant}/parties", self.parties),
            Route("/practices/{tenant}/parties", self.add_party, methods=["POST"]),
            Route(party, self.show_party),
            Route(party, self.amend_party, methods=["PATCH"]),
            Route(party, self.remove_party, methods=["DELETE"]),
            Route(f"{party}/relationships", self.relate, methods=["POST"]),
            Route(relationship, self.end, methods=["PATCH"]),
            Route(relationship, self.unrelate, methods=["DELETE"]),
            Route("/faults", self.show_faults),
            Route("/faults", self.add_fault, methods=["POST"]),
            Route("/faults", self.clear_faults, methods=["DELETE"]),
            Route("/dialect", self.show_dialect),
            Route("/dialect", self.choose_dialect, methods=["PUT"]),
            Route("/calls", self.show_calls),
            Route("/calls", self.forget_calls, methods=["DELETE"]),
        ]
        return Starlette(routes=routes, exception_handlers={KeyError: _not_found, ValidationError: _unfit})

    async def pages(self, _: Request) -> Response:
        return RedirectResponse("/sandbox/pages/")

    async def practices(self, _: Request) -> Response:
        return JSONResponse(
            [
                {
                    "tenant_id": it.tenant_id,
                    "name": it.practice.name,
                    "token": it.token,
                    "parties": len(it.practice.parties),
                }
                for it in self._sandbox.tenancies.values()
            ]
        )

    async def parties(self, request: Request) -> Response:
        wanted = request.query_params.get("name", "").casefold()
        found = [
            party for party in self._practice(request).parties.values() if wanted in party.name.casefold()
        ]
        return JSONResponse([_party(party) for party in found[:_SHOWN]])

    async def add_party(self, request: Request) -> Response:
        new = NewParty.model_validate_json(await request.body())
        uuid, practice = (new.uuid or str(uuid4())).lower(), self._practice(request)
        if uuid in practice.parties:
            return JSONResponse({"taken": uuid}, status_code=409)
        party = world.Party(uuid, {"Name": new.name, **new.fields}, changed_at=self._sandbox.now())
        practice.add(party)
        return JSONResponse(_party(party), status_code=201)

    async def show_party(self, request: Request) -> Response:
        return JSONResponse(_party(self._practice(request).parties[request.path_params["uuid"]]))

    async def amend_party(self, request: Request) -> Response:
        change = PartyChange.model_validate_json(await request.body())
        practice, uuid, now = self._practice(request), request.path_params["uuid"], self._sandbox.now()
        practice.amend(uuid, dict(change.fields), now)
        practice.mark(uuid, now, archived=change.archived, deleted=change.deleted)
        return JSONResponse(_party(practice.parties[uuid]))

    async def remove_party(self, request: Request) -> Response:
        self._practice(request).remove(request.path_params["uuid"])
        return Response(status_code=204)

    async def relate(self, request: Request) -> Response:
        new = NewRelationship.model_validate_json(await request.body())
        relationship = world.Relationship(
            new.uuid or str(uuid4()),
            new.type,
            new.party,
            new.party_name,
            new.shares,
            new.percentage,
            new.start,
            new.end,
        )
        uuid, now = request.path_params["uuid"], self._sandbox.now_for_ties()
        pairs.relate(self._practice(request), uuid, relationship, now, both=_both(request))
        return JSONResponse(vars(relationship), status_code=201)

    async def end(self, request: Request) -> Response:
        end = End.model_validate_json(await request.body())
        uuid, relationship = request.path_params["uuid"], request.path_params["relationship"]
        now = self._sandbox.now_for_ties()
        pairs.end(self._practice(request), uuid, relationship, end.end, now, both=_both(request))
        return Response(status_code=204)

    async def unrelate(self, request: Request) -> Response:
        uuid, relationship = request.path_params["uuid"], request.path_params["relationship"]
        now = self._sandbox.now_for_ties()
        pairs.unrelate(self._practice(request), uuid, relationship, now, both=_both(request))
        return Response(status_code=204)

    async def show_faults(self, _: Request) -> Response:
        return JSONResponse([fault.model_dump() for fault in self._sandbox.faults])

    async def add_fault(self, request: Request) -> Response:
        fault = Fault.model_validate_json(await request.body())
        self._sandbox.faults.add(fault)
        return JSONResponse(fault.model_dump(), status_code=201)

    async def clear_faults(self, _: Request) -> Response:
        self._sandbox.faults.clear()
        self._sandbox.dead_tokens.clear()
        return Response(status_code=204)

    async def show_dialect(self, _: Request) -> Response:
        return JSONResponse(self._sandbox.dialect.model_dump())

    async def choose_dialect(self, request: Request) -> Response:
        self._sandbox.dialect = Dialect.model_validate_json(await request.body())
        return await self.show_dialect(request)

    async def show_calls(self, _: Request) -> Response:
        return JSONResponse(
            [{**vars(called), "calls": number} for called, number in self._sandbox.calls.items()]
        )

    async def forget_calls(self, _: Request) -> Response:
        self._sandbox.calls.clear()
        return Response(status_code=204)

    def _practice(self, request: Request) -> world.Practice:
        return self._sandbox.tenancies[request.path_params["tenant"]].practice


def _both(request: Request) -> bool:
    return request.query_params.get("both") == "true"


def _party(party: world.Party) -> dict[str, object]:
    return {
        "uuid": party.uuid,
        "name": party.name,
        "archived": party.archived,
        "deleted": party.deleted,
        "fields": party.fields,
        "relationships": [vars(relationship) for relationship in party.relationships],
    }


async def _not_found(_: Request, error: Exception) -> Response:
    return JSONResponse({"not_found": str(error.args[0])}, status_code=404)


async def _unfit(_: Request, error: Exception) -> Response:
    assert isinstance(error, ValidationError)
    return JSONResponse(json.loads(error.json(include_url=False)), status_code=422)
