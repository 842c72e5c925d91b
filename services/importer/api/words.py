"""What the words of relationships mean at a practice, over HTTP: to see it, to correct it, and to take that back."""

from typing import Any, Literal
from urllib.parse import unquote

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from schemas.fields import Short, StaffName
from services.importer.api.asking import Body, body_of, query_of, tenant_of
from services.importer.api.connection import NO_STORE
from services.importer.domain import instant
from services.importer.wording import Meaning, Wording
from services.importer.xpm.directions import Direction, folded
from worker.problems import Problem

_WORD: TypeAdapter[str] = TypeAdapter(Short)


class Correction(Body):
    """What a word means, and who says so."""

    role: Short
    holder: Literal["party", "client", "both"]
    party_is: Short
    requested_by: StaffName


class Restoration(Body):
    """Who takes a correction back."""

    requested_by: StaffName


def routes(wording: Wording) -> list[Route]:
    """The routes under `/internal/tenants`."""

    async def show(request: Request) -> Response:
        meanings = await wording.meanings(tenant_of(request))
        return JSONResponse({"words": list(map(_shown, meanings))}, headers=NO_STORE)

    async def correct(request: Request) -> Response:
        tenant_id, word = tenant_of(request), _word_of(request)
        wanted = await body_of(request, Correction)
        meaning = Direction(role=wanted.role, holder=wanted.holder, party_is=wanted.party_is)
        await wording.correct(tenant_id, {word: meaning}, wanted.requested_by)
        now = {each.word: each for each in await wording.meanings(tenant_id)}
        return JSONResponse(_shown(now[folded(word)]), headers=NO_STORE)

    async def restore(request: Request) -> Response:
        tenant_id, word = tenant_of(request), _word_of(request)
        await wording.restore(tenant_id, [word], query_of(request, Restoration).requested_by)
        return Response(status_code=204)

    path = "/{tenant_id}/words"
    return [
        Route(path, show),
        Route(f"{path}/{{word}}", correct, methods=["PUT"]),
        Route(f"{path}/{{word}}", restore, methods=["DELETE"]),
    ]


def _word_of(request: Request) -> str:
    try:
        return _WORD.validate_python(" ".join(unquote(request.path_params["word"]).split()), strict=True)
    except ValidationError:
        raise Problem(404, "no-such-word", "A word has 1 to 100 characters.") from None


def _shown(meaning: Meaning) -> dict[str, Any]:
    said = {"word": meaning.word, **meaning.direction.model_dump(), "from": meaning.origin}
    if meaning.changed_at is not None:
        said |= {"changed_by": meaning.changed_by, "changed_at": instant(meaning.changed_at)}
    return said
