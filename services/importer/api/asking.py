"""What requests have in common: who may ask, for which tenant, and bodies that fit."""

import hmac
from typing import Any, TypeVar
from urllib.parse import unquote

import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from schemas.fields import Identifier, StaffName, TenantId
from worker.problems import Problem, answer
from worker.tokens import bearer

LARGEST_BODY = 20_000
_tenant: TypeAdapter[str] = TypeAdapter(TenantId)


class Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Authorize(Body):
    """Where the browser comes back to, and who asks."""

    return_url: str = Field(max_length=2_000)
    requested_by: StaffName


class Complete(Body):
    """What the browser came back with, and what its session has kept."""

    ticket: str = Field(max_length=200)
    proof: str = Field(max_length=200)


class Choose(Body):
    """Which practice, and who chose it."""

    connection_id: Identifier
    requested_by: StaffName


class Disconnect(Body):
    """Who ends the connection."""

    requested_by: StaffName


Fitting = TypeVar("Fitting", bound=Body)


class Guarded:
    """Lets nobody in who does not bear the token, where there is one."""

    def __init__(self, app: ASGIApp, token: SecretStr | None) -> None:
        self._app = app
        self._token = token.get_secret_value().encode() if token else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if self._token is not None:
            given = (bearer(Request(scope).headers) or "").encode("utf-8", "surrogateescape")
            if not hmac.compare_digest(given, self._token):
                app = answer(Problem(401, "unauthorized", "Ask with MUSTER_INTERNAL_TOKEN as bearer token."))
        await app(scope, receive, send)


def tenant_of(request: Request) -> str:
    """The tenant that is asked for. Raises `Problem`."""
    try:
        return _tenant.validate_python(unquote(request.path_params["tenant_id"]), strict=True)
    except ValidationError:
        raise Problem(404, "no-such-tenant", "A tenant's id is 1 to 64 visible ASCII characters.") from None


async def body_of(request: Request, kind: type[Fitting]) -> Fitting:
    """The body. Raises `Problem` with everything that is wrong with it."""
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > LARGEST_BODY:
            raise Problem(413, "too-large", f"A body has {LARGEST_BODY} bytes at most.")
    try:
        return kind.model_validate(orjson.loads(content))
    except orjson.JSONDecodeError:
        raise Problem(400, "not-json", "The body has to be a JSON object.") from None
    except ValidationError as error:
        raise _unfit(error) from None


def query_of(request: Request, kind: type[Fitting]) -> Fitting:
    """The query's parameters. Raises `Problem`."""
    try:
        return kind.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise _unfit(error) from None


def _unfit(error: ValidationError) -> Problem:
    found: list[Any] = error.errors(include_url=False, include_input=False, include_context=False)
    wrong = [{"field": ".".join(map(str, each["loc"])), "problem": each["msg"]} for each in found]
    return Problem(422, "unfit", "Some of it is not as it must be.", errors=wrong)
