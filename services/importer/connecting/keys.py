"""
The tokens of calls. One token set in one row: whoever needs it first renews it, and everybody else waits for that.

The row stays locked while Xero is asked, over all processes, and the next set is committed before it is used. A process
that dies in between, or an answer that is lost, leaves the old set, which Xero takes again for 30 minutes.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary
from zoneinfo import ZoneInfo

import httpx
import structlog

from services.importer import metrics
from services.importer.connecting import store
from services.importer.connecting.identity import GrantRefused, Identity, TokenSet
from services.importer.connecting.keyring import CannotOpen, Keyring
from services.importer.connecting.store import Row
from services.importer.settings import Connection
from services.importer.xpm.api import Xpm
from services.importer.xpm.calls import Access, Key
from services.importer.xpm.errors import (
    ConnectionLost,
    Forbidden,
    NotConnected,
    ReconnectRequired,
    SourceInvalid,
    SourceUnavailable,
)

if TYPE_CHECKING:
    from asyncpg import Pool, Record

    from services.importer.connecting.store import Connected

log = structlog.get_logger(__name__)

WITHOUT_KEY = "put the key that encrypted them back into MUSTER_XPM_TOKEN_KEYS, behind the newest"


@dataclass(frozen=True, slots=True)
class Vault:
    """Where tokens are, and what it takes to renew them. `pool` waits for Xero inside transactions."""

    pool: "Pool[Record]"
    keyring: Keyring
    identity: Identity
    http: httpx.AsyncClient
    xpm_url: str
    tell: Callable[[], None]
    """There is a fact to be told."""


class Keys:
    """The keys to the practices that are connected; `vault` is None where practices can't connect themselves."""

    def __init__(
        self, given: Mapping[str, Connection], url: str, vault: Vault | None, zone: tzinfo = UTC
    ) -> None:
        self._given = given
        self._url = url
        self._vault = vault
        self._zone = zone
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def of(self, tenant_id: str) -> Key:
        """What opens the tenant's practice now. Raises `NotConnected`, `ReconnectRequired`."""
        given = self._given.get(tenant_id)
        if given is not None:
            return Access(given.access_token.get_secret_value(), given.xpm_tenant_id, self._url)
        if self._vault is None:
            raise NotConnected
        row = _connected(await store.find(self._vault.pool, tenant_id))
        lock = self._locks.setdefault(tenant_id, asyncio.Lock())
        return PracticeKey(self._vault, row, lock)

    def zone(self, tenant_id: str) -> tzinfo:
        """Where a day ends for the tenant."""
        given = self._given.get(tenant_id)
        return ZoneInfo(given.time_zone) if given is not None and given.time_zone else self._zone

    async def confirm(self, key: Key, refused: Forbidden) -> None:
        """XPM has refused access: see whether it is the connection that is gone. Raises `ReconnectRequired` if so."""
        if isinstance(key, PracticeKey):
            await key.confirm(refused)


class PracticeKey:
    """The key to one practice, for as long as this practice is connected."""

    def __init__(self, vault: Vault, row: Row, lock: asyncio.Lock) -> None:
        self._vault = vault
        self._tenant_id = row.tenant_id
        self._xpm_tenant_id = row.xpm_tenant_id
        self._lock = lock  # keeps many calls of one process from holding a connection each while they wait
        self._access: Access | None = None
        self._good_until = 0.0

    @property
    def practice(self) -> str:
        """Xero's id of the practice."""
        return self._xpm_tenant_id

    async def access(self, refused: Access | None = None) -> Access:
        """A token that should be alive, and is not the one that was `refused`."""
        if refused is None and self._access is not None and time.monotonic() < self._good_until:
            return self._access
        async with self._lock:
            if self._access is None or self._access is refused or time.monotonic() >= self._good_until:
                self._access, self._good_until = await self._fetch(refused)
            return self._access

    async def confirm(self, refused: Forbidden) -> None:
        """Ask what the tokens still reach. Raises `ReconnectRequired` if the practice is no longer among it."""
        access = await self.access()
        reached = await Xpm(self._vault.http, Access(access.token, url=access.url)).connections()
        if self._xpm_tenant_id in (each.xero_tenant_id for each in reached):
            return
        async with self._vault.pool.acquire() as database, database.transaction():
            self._still_ours(await store.hold(database, self._tenant_id))
            await self._lose(database)
        self._vault.tell()
        raise ReconnectRequired(
            "the practice is no longer connected at Xero", correlation_id=refused.correlation_id
        ) from refused

    async def _fetch(self, refused: Access | None) -> tuple[Access, float]:
        """The stored token, or the next one if that is over or was refused; and until when it is good."""
        async with self._vault.pool.acquire() as database, database.transaction():
            row = self._still_ours(await store.hold(database, self._tenant_id))
            tokens: TokenSet | None
            tokens, good_for = self._open(row), row.good_for
            if row.to_renew or (refused is not None and tokens.access_token == refused.token):
                tokens, good_for = await self._renew(database, tokens)
        # what is used from here on is committed
        if tokens is None:
            self._vault.tell()
            raise ReconnectRequired("invalid_grant")
        access = Access(tokens.access_token, self._xpm_tenant_id, self._vault.xpm_url)
        return access, time.monotonic() + good_for

    async def _renew(self, database: "Connected", tokens: TokenSet) -> tuple[TokenSet | None, float]:
        """Have the next token set, stored; or none, and the connection marked as lost."""
        try:
            following = await self._ask(tokens)
        except GrantRefused:
            metrics.TOKENS_RENEWED.labels("refused").inc()
            log.warning("reconnect_required", tenant_id=self._tenant_id)
            await self._lose(database)
            return None, 0
        await store.renew(database, self._vault.keyring, self._tenant_id, following)
        metrics.TOKENS_RENEWED.labels("renewed").inc()
        return following, following.renew_after.total_seconds()

    async def _ask(self, tokens: TokenSet) -> TokenSet:
        """The next token set; asked for once more where the answer was lost. Raises `GrantRefused`."""
        if tokens.refresh_token is None:
            raise GrantRefused
        try:
            return await self._vault.identity.refresh(tokens.refresh_token)
        except (ConnectionLost, SourceInvalid):
            metrics.TOKENS_RENEWED.labels("lost").inc()
            return await self._vault.identity.refresh(tokens.refresh_token)

    async def _lose(self, database: "Connected") -> None:
        message = ReconnectRequired.sentence
        await store.lose(database, self._tenant_id, "reconnect_required", None, message)

    def _still_ours(self, row: Row | None) -> Row:
        row = _connected(row)
        if row.xpm_tenant_id != self._xpm_tenant_id:
            raise SourceUnavailable("another practice was connected meanwhile")
        return row

    def _open(self, row: Row) -> TokenSet:
        try:
            return TokenSet.opened(self._vault.keyring, self._tenant_id, row.tokens or b"")
        except CannotOpen as error:
            log.error("tokens_cannot_be_read", tenant_id=self._tenant_id, what_to_do=WITHOUT_KEY)  # noqa: TRY400 - says all
            raise SourceUnavailable("tokens that no key opens") from error


def _connected(row: Row | None) -> Row:
    if row is None or row.state == "disconnected":
        raise NotConnected
    if row.state == "reconnect_required":
        raise ReconnectRequired("it was lost before")
    return row
