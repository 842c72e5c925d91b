"""Integration progress, asked of the notifier with a token for one tenant."""

import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import structlog

from schemas.progress import IntegrationProgressed
from services.portal.problems import not_there
from worker.failures import describe
from worker.problems import Problem, unavailable
from worker.tokens import NOTIFIER, Tokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

log = structlog.get_logger(__name__)

SECONDS = 5.0
STREAM_SILENCE_SECONDS = 60.0
"""The notifier says something every 15 seconds."""
TOKEN_SECONDS = 60.0
"""Of a single request."""
SHORTEST_TOKEN_SECONDS = 2
NO_ANSWER = "Integration progress can't be read at the moment; try again in a moment."

Query = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of rows, newest first; `following` is the cursor that leads on, if more follow."""

    rows: Sequence[IntegrationProgressed]
    following: str | None


class Notifier:
    """Reads progress as one tenant at a time."""

    def __init__(self, http: httpx.AsyncClient, tokens: Tokens) -> None:
        self._http = http
        self._tokens = tokens

    async def page(self, tenant_id: str, query: Query = ()) -> Listed:
        """A page of the list, by the notifier's own parameters. Raises `Problem`."""
        answer = await self._get(_of(tenant_id), tenant_id, query)
        return Listed([IntegrationProgressed.model_validate(row) for row in answer["rows"]], answer["next"])

    async def row(self, tenant_id: str, kind: str, row_id: str) -> IntegrationProgressed:
        """One row. Raises `Problem`: not there, as when its 72 hours are over."""
        answer = await self._get(f"{_of(tenant_id)}/{kind}/{quote(row_id, safe='')}", tenant_id)
        return IntegrationProgressed.model_validate(answer)

    @asynccontextmanager
    async def stream(
        self, tenant_id: str, last_event_id: str | None, seconds: float
    ) -> "AsyncIterator[AsyncGenerator[bytes, None]]":
        """The tenant's server-sent events, byte for byte, for so long. Raises `Problem` where it does not open."""
        headers = self._headers(tenant_id, seconds) | (
            {"Last-Event-ID": last_event_id} if last_event_id else {}
        )
        timeout = httpx.Timeout(SECONDS, read=STREAM_SILENCE_SECONDS)
        request = self._http.build_request(
            "GET", f"{_of(tenant_id)}/stream", headers=headers, timeout=timeout
        )
        try:
            response = await self._http.send(request, stream=True)
        except httpx.HTTPError as error:
            raise _silent(error) from error
        try:
            if not response.is_success:
                raise unavailable(NO_ANSWER)
            yield _bytes(response)
        finally:
            await response.aclose()

    async def _get(self, path: str, tenant_id: str, query: Query = ()) -> Any:
        try:
            answer = await self._http.get(
                path, params=list(query), headers=self._headers(tenant_id), timeout=SECONDS
            )
            said = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise _silent(error) from error
        match answer.status_code:
            case 200:
                return said
            case 400:
                raise Problem(400, "invalid-parameters", said["detail"], said.get("errors", ()))
            case 404:
                raise not_there("row of progress")
            case _:
                log.warning("notifier_refused", status=answer.status_code)
                raise unavailable(NO_ANSWER)

    def _headers(self, tenant_id: str, seconds: float = TOKEN_SECONDS) -> dict[str, str]:
        # A token is good to a whole second of the clock: of one second the first moment may be the last.
        good = max(math.ceil(seconds), SHORTEST_TOKEN_SECONDS)
        return {"Authorization": f"Bearer {self._tokens.make(tenant_id, NOTIFIER, good)}"}


def _of(tenant_id: str) -> str:
    return f"/tenants/{quote(tenant_id, safe='')}/progress"


async def _bytes(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """What comes, until it ends by itself or breaks off; a browser comes back by itself either way."""
    try:
        async for chunk in response.aiter_raw():
            yield chunk
    except httpx.HTTPError as error:
        log.info("stream_broke_off", error=describe(error))


def _silent(error: Exception) -> Problem:
    log.warning("notifier_does_not_answer", error=describe(error))
    return unavailable(NO_ANSWER)
