"""Who asks, for what, and how long they wait: what the routes of the API have in common."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any
from urllib.parse import unquote

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
from services.portal.problems import Problem
from services.portal.reads import Place

LONGEST_WAIT = 10.0
LARGEST_PAGE = 200
KNOWN: dict[int | str, dict[str, Any]] = {
    200: {"model": CommandState, "description": "It is known what the command came to"}
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

Wait = Annotated[
    float,
    Query(ge=0, le=LONGEST_WAIT, description="Seconds to wait for what the command comes to"),
]
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
Cursor = Annotated[str | None, Query(max_length=2000, description="`next` of the page before")]


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


def new_id(person: Person, key: str | None, *parts: str) -> str:
    """The id of a command: new, or the one that belongs to the caller's key."""
    return command_id(person.tenant_id, key, *parts)


async def carried_out(
    response: Response,
    portal: Portal,
    person: Person,
    commands: list[Command],
    wait: float,
    key: str | None,
) -> list[CommandState]:
    """Publish commands; 200 when it is known what all of them came to, else 202.

    Under a key of the caller's it is looked up whether that is really the same command, before and after: two that
    were sent at once see each other's answer.
    """
    if key is not None:
        await portal.commands.check_unused(person, commands)
    if wait:
        answers = await portal.commands.carry_out_all(person, commands, wait)
    else:
        await portal.commands.publish(person, commands)
        answers = [Answer(each, None) for each in commands]
    if key is not None:
        await portal.commands.check_unused(person, commands)
    states = [CommandState.of(each.command.id, each.outcome) for each in answers]
    if all(state.result is not None for state in states):
        response.status_code = 200
    return states
