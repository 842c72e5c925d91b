"""Who asks, for what, and how long they wait: what the routes of the API have in common."""

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote, unquote

import orjson
from fastapi import Depends, Header, Path, Query, Response, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from pydantic import BeforeValidator, TypeAdapter
from starlette.requests import Request

from schemas.fields import VISIBLE_ASCII, Identifier, Name
from services.portal import portal as parts
from services.portal.api.models import CommandState
from services.portal.commands import Answer, Command, command_id
from services.portal.people import Person
from services.portal.portal import Portal
from services.portal.reads import Place
from worker.problems import Problem

LONGEST_WAIT = 10.0
LARGEST_PAGE = 200
KNOWN: dict[int | str, dict[str, Any]] = {
    200: {"model": CommandState, "description": "It is known what the command came to"},
    202: {
        "description": "The command is published, and nothing is known yet of what it comes to",
        "headers": {
            "Location": {
                "description": "Where to ask what the command came to",
                "schema": {"type": "string", "format": "uri-reference"},
            }
        },
    },
}

_BEARER = HTTPBearer(auto_error=False, description="A token for `muster-portal`")
_SESSION = APIKeyCookie(
    name="muster_session",
    auto_error=False,
    description="The session of a browser; what changes something also needs `X-CSRF-Token`",
)


def _reader(
    request: Request, _: Annotated[object, Security(_BEARER)], __: Annotated[object, Security(_SESSION)]
) -> Person:
    return parts.reader(request)


def _decider(
    request: Request, _: Annotated[object, Security(_BEARER)], __: Annotated[object, Security(_SESSION)]
) -> Person:
    return parts.decider(request)


Reader = Annotated[Person, Depends(_reader)]
Decider = Annotated[Person, Depends(_decider)]
ThePortal = Annotated[Portal, Depends(parts.portal_of)]

Named = BeforeValidator(unquote)
"""An id in a path comes as it was sent: with its slashes encoded."""
ClientId = Annotated[Identifier, Named, Path()]
MemberId = Annotated[Identifier, Named, Path()]
ItemId = Annotated[Identifier, Named, Path()]
CommandId = Annotated[Identifier, Named, Path()]

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=VISIBLE_ASCII,
        description="Chosen by the caller: the same command under the same key again has no further effect",
    ),
]
Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE)]
Cursor = Annotated[
    str | None,
    Query(
        max_length=2000,
        description="`next` of the page before: the list goes on behind its last entry, even if that is gone by now",
    ),
]

_PREFERRED = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(?P<seconds>[0-9]{1,4})\b", re.IGNORECASE)
_text: TypeAdapter[str] = TypeAdapter(Name)


def place_of(cursor: str | None) -> Place | None:
    """Read a cursor. Raises `Problem` for one that was not made here."""
    if cursor is None:
        return None
    try:
        sort_name, entry_id = orjson.loads(urlsafe_b64decode(cursor))
        return Place(_text.validate_python(sort_name), _text.validate_python(entry_id))
    except (binascii.Error, ValueError, TypeError):
        wrong = [{"field": "cursor", "problem": "is not a cursor of this list"}]
        raise Problem(400, "invalid-cursor", "The cursor was not made here.", wrong) from None


def cursor_of(place: Place | None) -> str | None:
    return urlsafe_b64encode(orjson.dumps(list(place))).decode() if place else None


def waiting(
    response: Response,
    wait: Annotated[
        float | None,
        Query(ge=0, le=LONGEST_WAIT, description="Seconds to wait for what the command comes to; else none"),
    ] = None,
    prefer: Annotated[
        str | None, Header(max_length=200, description="`wait=5` says the same, as RFC 7240 has it")
    ] = None,
) -> float:
    """How many seconds the caller waits."""
    preferred = _PREFERRED.search(prefer or "")
    if wait is not None or preferred is None:
        return wait or 0.0
    response.headers["Preference-Applied"] = f"wait={preferred['seconds']}"
    return min(float(preferred["seconds"]), LONGEST_WAIT)


Wait = Annotated[float, Depends(waiting)]


class Sending:
    """A request that has commands carried out: who asks, under which key, and how long they wait."""

    def __init__(
        self,
        request: Request,
        response: Response,
        person: Decider,
        portal: ThePortal,
        wait: Wait,
        key: IdempotencyKey = None,
    ) -> None:
        self.person = person
        self.portal = portal
        self._root = request.scope["root_path"]
        self._response = response
        self._wait = wait
        self._key = key

    def new_id(self, *parts: str) -> str:
        """The id of a command: new, or the one that belongs to the caller's key."""
        return command_id(self.person.tenant_id, self._key, *parts)

    def point_to(self, *path: str) -> None:
        """Say in `Location` where to ask how it goes on."""
        self._response.headers["Location"] = "/".join(
            (f"{self._root}/api", *(quote(part, safe="") for part in path))
        )

    async def one(self, command: Command) -> CommandState:
        """Carry a command out, and say where its outcome is to be asked for."""
        (state,) = await self.all([command])
        self.point_to("commands", command.id)
        return state

    async def all(self, commands: Sequence[Command]) -> list[CommandState]:
        """Publish commands; 200 when it is known what all of them came to, else 202.

        Under a key of the caller's it is looked up whether that is really the same command, before and after: two that
        were sent at once see each other's answer.
        """
        answers = await self._carry_out(commands)
        states = [CommandState.of(each.command.id, each.outcome) for each in answers]
        if all(state.result is not None for state in states):
            self._response.status_code = 200
        return states

    async def _carry_out(self, commands: Sequence[Command]) -> Sequence[Answer]:
        if self._key is not None:
            await self.portal.commands.check_unused(self.person, commands)
        if self._wait:
            answers = await self.portal.commands.carry_out_all(self.person, commands, self._wait)
        else:
            await self.portal.commands.publish(self.person, commands)
            answers = [Answer(each, None) for each in commands]
        if self._key is not None:
            await self.portal.commands.check_unused(self.person, commands)
        return answers


Sender = Annotated[Sending, Depends(Sending)]
