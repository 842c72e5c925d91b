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
from sandbox.faults import Fault
from sandbox.quota import Quota
from sandbox.state import Called, Sandbox


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
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        reached = self._sandbox.reached_by(token) if scheme.lower() == "bearer" else {}
        if not reached:
            return answers.unauthorized()
        if self._tenanted and tenant not in reached:
            return answers.forbidden(self._sandbox.application.remaining)
        exceeded = quota.exceeded() if quota else None
        return answers.throttled(exceeded.problem, exceeded.retry_after) if exceeded else None

    async def _answer(self, scope: Scope, receive: Receive, send: Send, tenant: str | None) -> None:
        app = self._app
        for fault in self._sandbox.faults.for_call(tenant, scope["path"]):
            if fault.kind == "latency":
                await asyncio.sleep(fault.seconds)
            elif fault.kind == "cut":
                send = _cut_short(send)
            else:
                app = _instead(fault)
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


def _method(request: Request) -> str:
    """`client.api/get` of `/practicemanager/3.1/client.api/get/<id>`."""
    parts = request.url.path.strip("/").split("/")
    return "/".join(parts[2:4]) or parts[0]


def _instead(fault: Fault) -> ASGIApp:
    match fault.kind:
        case "outage":
            return answers.unavailable()
        case "throttle":
            return answers.throttled(fault.problem, None if fault.problem == "concurrent" else fault.seconds)
        case "malformed":
            return answers.xml(answers.BROKEN)
        case "doctype":
            return answers.xml(answers.BOMB)
    raise AssertionError(fault.kind)


def _cut_short(send: Send) -> Send:
    """Send half of the first piece and nothing more; the server then closes the connection on the client."""
    cut = False

    async def half(message: Message) -> None:
        nonlocal cut
        if message["type"] == "http.response.start":
            await send(message)
        elif not cut:
            cut = True
            body = message["body"]
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})

    return half
