"""
What stands before every method of the API: token, tenant, quota, and the faults that are on.

A call counts against the quota's five at once until the last byte of its answer is sent.
"""

import asyncio
from contextlib import nullcontext
from uuid import uuid4

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox import answers
from sandbox.quota import Quota
from sandbox.state import Called, Sandbox
from sandbox.trouble import instead, on_its_way


class Gate:
    """ASGI middleware around the methods that answer for one practice (`tenanted`) or for a token only."""

    def __init__(self, app: ASGIApp, sandbox: Sandbox, *, tenanted: bool) -> None:
        self._app, self._sandbox, self._tenanted = app, sandbox, tenanted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        tenant = request.headers.get("xero-tenant-id") if self._tenanted else None
        quota = self._sandbox.quotas.get(tenant or "")
        send = self._signed(request, tenant, quota, send)
        refusal = self._refusal(request, tenant, quota)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        with quota.call() if quota else nullcontext():
            await self._answer(scope, receive, send, tenant)

    def _refusal(self, request: Request, tenant: str | None, quota: Quota | None) -> Response | None:
        token = _token(request)
        if self._sandbox.is_over(token):
            return answers.expired(self._sandbox.ended(token))
        if not self._sandbox.knows(token):
            return answers.unauthorized()
        if self._tenanted and tenant not in self._sandbox.reached_by(token):
            return answers.forbidden(self._sandbox.application.remaining)
        if self._tenanted and not self._sandbox.may_read(token, _method(request)):
            return self._out_of_scope()
        exceeded = quota.exceeded() if quota else None
        return answers.throttled(exceeded.problem, exceeded.retry_after) if exceeded else None

    def _out_of_scope(self) -> Response:
        if self._sandbox.dialect.missing_scope == "401":
            return answers.unauthorized()
        return answers.forbidden(self._sandbox.application.remaining)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, tenant: str | None) -> None:
        app, tenancy = self._app, self._sandbox.tenancies.get(tenant or "")
        for fault in self._sandbox.faults.for_call(tenant, scope["path"]):
            if fault.kind == "latency":
                await asyncio.sleep(fault.seconds)
            if fault.kind == "token_dies":
                self._sandbox.dead_tokens.add(_token(Request(scope)))
            app = instead(fault, tenancy.practice if tenancy else None, self._sandbox.dialect) or app
            send = on_its_way(fault, send)
        await app(scope, receive, send)

    def _signed(self, request: Request, tenant: str | None, quota: Quota | None, send: Send) -> Send:
        """Every answer gets its correlation id, every good one the rate headers, and is counted."""
        correlation_id = str(uuid4())

        async def signed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["xero-correlation-id"] = correlation_id
                if quota and message["status"] not in (401, 403):
                    _add_missing(headers, quota.headers())
                self._sandbox.calls[Called(tenant, _method(request), message["status"])] += 1
            await send(message)

        return signed


def _add_missing(headers: MutableHeaders, more: dict[str, str]) -> None:
    for name, value in more.items():
        headers.setdefault(name, value)


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


def _method(request: Request) -> str:
    """`client.api/get` of `/practicemanager/3.1/client.api/get/<id>`."""
    parts = request.url.path.strip("/").split("/")
    return "/".join(parts[2:4]) or parts[0]
