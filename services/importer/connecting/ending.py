"""
The end of a consent at Xero: its connection is taken away and its tokens are revoked, however many attempts it takes.

Revoking takes away everything that the tokens' user has connected. Where that would be the connection of another tenant
(one person may serve two practices), the tokens are only forgotten.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import httpx
import structlog

from services.importer.connecting.identity import GrantRefused, TokenSet
from services.importer.connecting.keyring import CannotOpen
from services.importer.connecting.keys import Vault
from services.importer.connecting.store import QUERIES
from services.importer.xpm.api import Xpm
from services.importer.xpm.calls import Access
from services.importer.xpm.errors import ReconnectRequired, SourceUnavailable, XpmError
from worker import retry
from worker.failures import Verdict, classify, describe

if TYPE_CHECKING:
    from asyncpg import Record

log = structlog.get_logger(__name__)

LOOK_SECONDS = 30.0
AT_ONCE_SECONDS = 5.0
"""How long a person who disconnects waits for Xero; the rest goes on without them."""
TIMEOUT = httpx.Timeout(15, connect=5)
GONE = (204, 200, 403, 404)


class Ending:
    """Ends what is to be ended."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def run(self) -> None:
        """Look for what is due; runs until cancelled."""
        attempt = 0
        while True:
            try:
                await self._vault.pool.execute(QUERIES.end_old_choices)
                await self._all_due(None)
                attempt, pause = 0, LOOK_SECONDS
            except Exception as error:
                if classify(error) is not Verdict.PASSING:
                    raise
                attempt += 1
                pause = retry.delay(attempt, random.random())  # noqa: S311 - not for secrets
                log.warning("revocations_held_up", error=describe(error))
            await asyncio.sleep(pause)

    async def try_at_once(self, tenant_id: str) -> None:
        """End what the tenant has to end, if Xero answers soon."""
        try:
            async with asyncio.timeout(AT_ONCE_SECONDS):
                await self._all_due(tenant_id)
        except TimeoutError:
            log.info("revoked_later", tenant_id=tenant_id)

    async def _all_due(self, tenant_id: str | None) -> None:
        while (row := await self._vault.pool.fetchrow(QUERIES.due_revocation, tenant_id)) is not None:
            try:
                done = row["too_old"] or await self._end(row)
            except XpmError as error:
                log.info("not_revoked_yet", tenant_id=row["tenant_id"], detail=error.detail)
                continue
            if done:
                await self._vault.pool.execute(QUERIES.end_revocation, row["tenant_id"], row["ordinal"])

    async def _end(self, row: "Record") -> bool:
        """Whether nothing is left to do. Raises the family of `services.importer.xpm.errors`."""
        try:
            tokens = TokenSet.opened(self._vault.keyring, row["tenant_id"], row["tokens"])
            tokens = await self._alive(row, tokens, self._take_away(row["connection_id"]))
            if not await self._is_anothers(tokens) and tokens.refresh_token is not None:
                await self._vault.identity.revoke(tokens.refresh_token)
        except (CannotOpen, GrantRefused) as error:
            log.info("nothing_to_revoke", tenant_id=row["tenant_id"], error=describe(error))
        else:
            log.info("revoked", tenant_id=row["tenant_id"])
        return True

    async def _alive(
        self, row: "Record", tokens: TokenSet, act: Callable[[TokenSet], Awaitable[None]]
    ) -> TokenSet:
        """Act with tokens that may have to be renewed first; the next set is stored before it is used."""
        try:
            await act(tokens)
        except ReconnectRequired:
            if tokens.refresh_token is None:
                raise GrantRefused from None
            tokens = await self._vault.identity.refresh(tokens.refresh_token)
            sealed = tokens.sealed(self._vault.keyring, row["tenant_id"])
            await self._vault.pool.execute(QUERIES.renew_revocation, row["tenant_id"], row["ordinal"], sealed)
            await act(tokens)
        return tokens

    def _take_away(self, connection_id: str | None) -> Callable[[TokenSet], Awaitable[None]]:
        async def act(tokens: TokenSet) -> None:
            if connection_id is None:
                await self._reached(tokens)
                return
            try:
                answer = await self._vault.http.delete(
                    f"{self._vault.xpm_url}/connections/{connection_id}",
                    headers={"Authorization": f"Bearer {tokens.access_token}"},
                    timeout=TIMEOUT,
                )
            except httpx.HTTPError as error:
                raise SourceUnavailable(type(error).__name__) from error
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                raise ReconnectRequired("HTTP 401")
            if answer.status_code not in GONE:
                raise SourceUnavailable(f"HTTP {answer.status_code}")

        return act

    async def _is_anothers(self, tokens: TokenSet) -> bool:
        """Whether the tokens' user serves a practice that is connected."""
        practices = await self._reached(tokens)
        found: bool = await self._vault.pool.fetchval(QUERIES.connected_anywhere, practices)
        return found

    async def _reached(self, tokens: TokenSet) -> list[str]:
        access = Access(tokens.access_token, url=self._vault.xpm_url)
        return [each.xero_tenant_id for each in await Xpm(self._vault.http, access).connections()]
