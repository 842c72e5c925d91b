"""One call to the Xero API: headers out, an answer in pieces, and every way it can fail as one of `errors`."""

import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Protocol

import httpx

from services.importer.quota.tolls import Road, free
from services.importer.xpm.charsets import recoder
from services.importer.xpm.errors import (
    ConnectionLost,
    ReconnectRequired,
    SourceInvalid,
    SourceUnavailable,
    XpmError,
)
from services.importer.xpm.reader import Refused
from services.importer.xpm.statuses import refusal

XERO = "https://api.xero.com"

_SECONDS_TO_CONNECT = 10
_CORRELATION = re.compile(r"[0-9A-Za-z-]{1,64}")
_LOST = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError, httpx.CloseError)


@dataclass(frozen=True)
class Access:
    """What opens one practice: a bearer token, Xero's id of the practice, and the API's address."""

    token: str = field(repr=False)
    xero_tenant_id: str = ""
    url: str = XERO

    def headers(self) -> dict[str, str]:
        tenant = {"Xero-Tenant-Id": self.xero_tenant_id} if self.xero_tenant_id else {}
        return {"Authorization": f"Bearer {self.token}", "Accept": "application/xml", **tenant}

    @property
    def practice(self) -> str:
        """Xero's id of the practice."""
        return self.xero_tenant_id

    async def access(self, refused: "Access | None" = None) -> "Access":  # noqa: ARG002 - there is no other
        """A key that never changes."""
        return self


class Key(Protocol):
    """Opens one practice with a token that may change while calls are made."""

    @property
    def practice(self) -> str:
        """Xero's id of the practice."""

    async def access(self, refused: Access | None = None) -> Access:
        """A token that should be alive, and another one than was `refused`, where there is another."""


@dataclass(frozen=True)
class Question:
    """
    Where to ask, with what, how large the answer may be, how long it may take, and what a no means.

    `largest` counts bytes, unpacked; `quiet` is how many seconds may pass without one, `seconds` how many altogether.
    """

    path: str
    largest: int
    parameters: dict[str, str] = field(default_factory=dict)
    quiet: float = 60
    seconds: float = 120
    refused: type[XpmError] = SourceInvalid


class Caller:
    """Makes calls for one practice, when the `road` lets them pass; it repeats nothing but one whose token was over."""

    def __init__(
        self, http: httpx.AsyncClient, key: Key, now: Callable[[], datetime], road: Road = free
    ) -> None:
        self._http = http
        self._key = key
        self._now = now
        self._road = road

    @asynccontextmanager
    async def ask(self, question: Question) -> AsyncGenerator[AsyncIterator[bytes], None]:
        """
        The body of a good answer, in pieces.

        Whatever goes wrong within the block, with the call or in reading its answer, leaves it as an `XpmError` with
        Xero's correlation id where there is one. A token that is refused although it should be alive is renewed, and
        the call is made once more.
        """
        access = await self._key.access()
        async with AsyncExitStack() as call:
            try:
                body = await call.enter_async_context(self._ask(question, access))
            except ReconnectRequired as error:
                renewed = await self._renewed(access, error)
                if renewed is access:
                    raise
                body = await call.enter_async_context(self._ask_again(question, renewed, error))
            yield body

    async def _renewed(self, access: Access, first: ReconnectRequired) -> Access:
        try:
            return await self._key.access(refused=access)
        except XpmError as error:
            error.correlation_id = error.correlation_id or first.correlation_id
            raise

    @asynccontextmanager
    async def _ask_again(
        self, question: Question, access: Access, first: ReconnectRequired
    ) -> AsyncGenerator[AsyncIterator[bytes], None]:
        """With a token that Xero has issued this minute; if that is refused too, it is not the consent that is gone."""
        try:
            async with self._ask(question, access) as body:
                yield body
        except ReconnectRequired as error:
            raise SourceUnavailable(
                "HTTP 401 for a token that was just renewed", correlation_id=error.correlation_id
            ) from first

    @asynccontextmanager
    async def _ask(self, question: Question, access: Access) -> AsyncGenerator[AsyncIterator[bytes], None]:
        correlation_id: str | None = None
        try:
            road = self._road if access.xero_tenant_id else free
            async with (
                road(access.xero_tenant_id) as toll,
                self._http.stream("GET", **_request(question, access)) as response,
            ):
                toll.answered(response.status_code, response.headers)
                correlation_id = _correlation_id(response)
                self._check(question, response)
                async with aclosing(_body(question, response)) as body:
                    yield body
        except XpmError as error:
            error.correlation_id = correlation_id
            raise
        except Refused as error:
            raise question.refused("answered ERROR", correlation_id=correlation_id) from error
        except httpx.HTTPError as error:
            raise _failure(error, correlation_id) from error

    def _check(self, question: Question, response: httpx.Response) -> None:
        if response.status_code == HTTPStatus.NOT_FOUND:
            raise question.refused("HTTP 404")
        refused = refusal(response.status_code, response.headers, self._now())
        if refused is not None:
            raise refused


def _request(question: Question, access: Access) -> dict[str, Any]:
    return {
        "url": f"{access.url}{question.path}",
        "params": question.parameters or None,
        "headers": access.headers(),
        "timeout": httpx.Timeout(question.quiet, connect=_SECONDS_TO_CONNECT),
        "follow_redirects": False,
    }


async def _body(question: Question, response: httpx.Response) -> AsyncGenerator[bytes, None]:
    ends = time.monotonic() + question.seconds
    size = 0
    in_utf8 = recoder(response.charset_encoding)
    async for piece in response.aiter_bytes():
        size += len(piece)
        if size > question.largest:
            raise SourceInvalid(f"an answer of more than {question.largest} bytes")
        if time.monotonic() > ends:
            raise SourceUnavailable(f"an answer that took longer than {question.seconds:g} seconds")
        yield in_utf8(piece)


def _correlation_id(response: httpx.Response) -> str | None:
    """Xero's name for the call; anything but letters, digits and dashes is not one, and stays out of our logs."""
    found = _CORRELATION.fullmatch(response.headers.get("xero-correlation-id", ""))
    return found[0] if found else None


def _failure(error: httpx.HTTPError, correlation_id: str | None) -> XpmError:
    seen = type(error).__name__
    if isinstance(error, _LOST):
        return ConnectionLost(seen, correlation_id=correlation_id)
    if isinstance(error, httpx.DecodingError):
        return SourceInvalid(seen, correlation_id=correlation_id)
    return SourceUnavailable(seen, correlation_id=correlation_id)
