"""
What people do with a practice's connection: ask for it, consent at Xero, choose a practice, end it.

Asking gives an address for the browser and a proof for its session. The browser comes back from Xero with a ticket, and
nothing is connected before the portal brings both: so nobody completes an attempt that somebody else has begun.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import structlog

from services.importer.connecting import store
from services.importer.connecting.application import (
    Attempt,
    FailureReason,
    Result,
    digest_of,
    may_return_to,
    secret,
    with_result,
)
from services.importer.connecting.ending import Ending
from services.importer.connecting.identity import GrantRefused, TokenSet
from services.importer.connecting.keyring import CannotOpen
from services.importer.connecting.keys import Vault
from services.importer.connecting.store import QUERIES
from services.importer.domain import instant
from services.importer.settings import Connection, ImporterSettings
from services.importer.xpm.api import Xpm
from services.importer.xpm.calls import Access
from services.importer.xpm.errors import SourceInvalid, XpmError
from services.importer.xpm.records import Connection as Practice

if TYPE_CHECKING:
    from asyncpg import Pool, Record

    from services.importer.connecting.store import Connected

log = structlog.get_logger(__name__)

State = Literal["not_connected", "choose_practice", "connected", "reconnect_required"]


class CannotConnect(Exception):
    """What was asked for cannot be done; `kind` says why in a word, the message in a sentence."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Standing:
    """How a tenant stands with XPM. `changed_at` is an instant as the wire writes it."""

    state: State
    connection_id: str | None = None
    practice_name: str | None = None
    changed_at: str | None = None
    practices: tuple[Practice, ...] = ()


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the browser, and what its session keeps until it is back."""

    authorize_url: str
    proof: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt to connect came to."""

    result: Result
    reason: FailureReason | None = None


class Journey:
    """The steps. `vault` is None where practices can't connect themselves: Xero's credentials are not configured."""

    def __init__(
        self, pool: "Pool[Record]", settings: ImporterSettings, vault: Vault | None, ending: Ending | None
    ) -> None:
        self._pool = pool
        self._given: Mapping[str, Connection] = settings.xpm_connections
        self._allowed: Sequence[str] = settings.connect_return_urls
        self._patience = timedelta(seconds=settings.connect_seconds)
        self._shared = settings.xpm_practice_shared
        self._vault = vault
        self._ending = ending

    async def standing(self, tenant_id: str) -> Standing:
        """How the tenant stands with XPM now."""
        given = self._given.get(tenant_id)
        if given is not None:
            return Standing("connected", given.xpm_tenant_id, given.practice_name)
        row = await store.find(self._pool, tenant_id)
        practices = await store.choice(self._pool, tenant_id)
        if row is None or row.state == "disconnected":
            return Standing("choose_practice" if practices else "not_connected", practices=practices)
        state: State = "choose_practice" if practices else row.state
        changed_at = instant(row.changed_at)
        return Standing(state, row.connection_id, row.practice_name, changed_at, practices)

    async def authorize(self, tenant_id: str, return_url: str, requested_by: str) -> Begun:
        """Begin; the browser comes back to `return_url`. Raises `CannotConnect`."""
        vault = self._check(tenant_id)
        if not may_return_to(return_url, self._allowed):
            raise CannotConnect(
                "foreign-return-url",
                "The return_url is not below one that MUSTER_CONNECT_RETURN_URLS allows.",
            )
        attempt = Attempt()
        verifier = vault.keyring.seal(tenant_id, {"verifier": attempt.verifier})
        await self._pool.execute(
            QUERIES.begin,
            tenant_id,
            digest_of(attempt.state),
            digest_of(attempt.proof),
            verifier,
            return_url,
            requested_by,
            self._patience,
        )
        return Begun(vault.identity.application.where_to_consent(attempt), attempt.proof)

    async def come_back(self, state: str, code: str | None, error: str | None) -> str:
        """A browser is back from Xero: where to send it on to. Raises `CannotConnect` for a state that is none.

        Whose browser it is shows when the attempt is completed: until then the code is worth nothing to anybody.
        """
        digest, ticket = digest_of(state), secret()
        async with self._pool.acquire() as database, database.transaction():
            begun = await database.fetchrow(QUERIES.begun, digest)
            if begun is None or self._vault is None:
                raise _NO_SUCH_ATTEMPT
            reason = _why_failed(code, error, expired=begun["expired"])
            if reason is None:
                sealed = self._vault.keyring.seal(begun["tenant_id"], {"code": code})
                await database.execute(QUERIES.come_back, digest, digest_of(ticket), sealed)
            else:
                await database.execute(QUERIES.give_up, digest)
        log.info("came_back_from_xero", tenant_id=begun["tenant_id"], reason=reason)
        if reason is not None:
            return with_result(begun["return_url"], "failed", reason=reason)
        return with_result(begun["return_url"], "confirm", ticket=ticket)

    async def complete(self, tenant_id: str, ticket: str, proof: str) -> Outcome:
        """The portal has the browser back, with the proof of its session: connect. Raises `CannotConnect`."""
        vault = self._check(tenant_id)
        begun = await self._pool.fetchrow(QUERIES.complete, digest_of(ticket))
        if begun is None:
            return Outcome("failed", "over")
        is_theirs = hmac.compare_digest(begun["proof_digest"], digest_of(proof))
        if not is_theirs or begun["tenant_id"] != tenant_id:
            log.warning("attempt_of_another_browser", tenant_id=begun["tenant_id"], brought_by=tenant_id)
            return Outcome("failed", "another_browser")
        outcome = await self._outcome(vault, begun)
        log.info("completed", tenant_id=tenant_id, result=outcome.result, reason=outcome.reason)
        return outcome

    async def choose(self, tenant_id: str, connection_id: str, requested_by: str) -> Standing:
        """Connect one of the practices that the consent reaches. Raises `CannotConnect`."""
        vault = self._check(tenant_id)
        async with self._pool.acquire() as database, database.transaction():
            choice = await store.hold_choice(database, tenant_id)
            found = (
                (each for each in choice.practices if each.connection_id == connection_id) if choice else ()
            )
            practice = next(iter(found), None)
            if choice is not None and practice is not None:
                if await self._is_taken(database, tenant_id, practice):
                    raise _TAKEN
                await self._replace(database, tenant_id, practice)
                await store.connect(
                    database, tenant_id, practice, choice.tokens, choice.good_for, requested_by
                )
        vault.tell()
        standing = await self.standing(tenant_id)
        if practice is None and (standing.state, standing.connection_id) != ("connected", connection_id):
            raise CannotConnect("no-such-practice", "There is no such practice to choose; connect again.")
        return standing

    async def disconnect(self, tenant_id: str, requested_by: str) -> None:
        """End the connection, and any choice: tokens are forgotten here and revoked at Xero. Raises `CannotConnect`."""
        if tenant_id in self._given:
            raise _GIVEN
        async with self._pool.acquire() as database, database.transaction():
            row = await store.hold(database, tenant_id)
            if row is not None and row.tokens is not None:
                await database.execute(QUERIES.revoke, tenant_id, row.connection_id, row.tokens)
            await store.lose(database, tenant_id, "disconnected", requested_by, None)
            chosen_from = await database.fetchval(QUERIES.end_choice, tenant_id)
            if chosen_from is not None:
                await database.execute(QUERIES.revoke, tenant_id, None, chosen_from)
        log.info("disconnected", tenant_id=tenant_id)
        if self._vault is not None and self._ending is not None:
            self._vault.tell()
            await self._ending.try_at_once(tenant_id)

    async def _outcome(self, vault: Vault, begun: "Record") -> Outcome:
        if begun["expired"]:
            return Outcome("failed", "expired")
        tenant_id = begun["tenant_id"]
        try:
            code = vault.keyring.open(tenant_id, begun["code"])["code"] or ""
            verifier = vault.keyring.open(tenant_id, begun["verifier"])["verifier"] or ""
            tokens = await vault.identity.exchange(code, verifier)
            practices = await Xpm(vault.http, Access(tokens.access_token, url=vault.xpm_url)).connections()
        except (GrantRefused, CannotOpen):
            return Outcome("failed", "refused")
        except XpmError as trouble:
            log.warning("xero_did_not_answer", detail=trouble.detail, correlation_id=trouble.correlation_id)
            invalid = isinstance(trouble, SourceInvalid)
            return Outcome("failed", "source_invalid" if invalid else "source_unavailable")
        return await self._take(vault, tenant_id, tokens, practices, begun["requested_by"])

    async def _take(
        self, vault: Vault, tenant_id: str, tokens: TokenSet, practices: Sequence[Practice], by: str
    ) -> Outcome:
        """Keep what the consent brought: a connection, or a choice."""
        sealed = tokens.sealed(vault.keyring, tenant_id)
        async with self._pool.acquire() as database, database.transaction():
            row = await store.hold(database, tenant_id)
            before = row.xpm_tenant_id if row is not None and row.state != "disconnected" else None
            practice = _the_one(practices, before)
            if practice is None and practices:
                await store.offer(database, vault.keyring, tenant_id, practices, tokens)
                return Outcome("choose_practice")
            if practice is None or await self._is_taken(database, tenant_id, practice):
                await database.execute(QUERIES.revoke, tenant_id, None, sealed)
                return Outcome("failed", "practice_taken" if practice else "no_practice")
            await self._replace(database, tenant_id, practice)
            await store.connect(database, tenant_id, practice, sealed, tokens.renew_after, by)
        vault.tell()
        return Outcome("connected")

    async def _replace(self, database: "Connected", tenant_id: str, practice: Practice) -> None:
        """Whatever other practice was connected before is taken away at Xero."""
        row = await store.hold(database, tenant_id)
        if row is not None and row.tokens is not None and row.xpm_tenant_id != practice.xero_tenant_id:
            await database.execute(QUERIES.revoke, tenant_id, row.connection_id, row.tokens)

    async def _is_taken(self, database: "Connected", tenant_id: str, practice: Practice) -> bool:
        """Whether another tenant is connected to the practice: one practice's clients belong to one tenant."""
        if self._shared:
            return False
        await database.execute(QUERIES.reserve_practice, practice.xero_tenant_id)
        given = {each.xpm_tenant_id for tenant, each in self._given.items() if tenant != tenant_id}
        elsewhere = await database.fetch(QUERIES.connected_elsewhere, tenant_id, [practice.xero_tenant_id])
        return bool(elsewhere) or practice.xero_tenant_id in given

    def _check(self, tenant_id: str) -> Vault:
        if tenant_id in self._given:
            raise _GIVEN
        if self._vault is None:
            raise CannotConnect(
                "not-configured",
                "The importer has no credentials of Xero's: MUSTER_XPM_CLIENT_ID and what belongs to it.",
            )
        return self._vault


def _why_failed(code: str | None, error: str | None, *, expired: bool) -> FailureReason | None:
    if error is not None or not code:
        return "access_denied" if error == "access_denied" else "refused"
    return "expired" if expired else None


_NO_SUCH_ATTEMPT = CannotConnect(
    "no-such-attempt",
    "This attempt to connect was begun too long ago, or is over already. Begin again in the portal.",
)
_GIVEN = CannotConnect(
    "given", "This practice's connection is given by the importer's configuration, and changed there."
)
_TAKEN = CannotConnect(
    "practice-taken", "Another tenant is connected to this practice. Disconnect it there first."
)


def _the_one(practices: Sequence[Practice], before: str | None) -> Practice | None:
    """The only practice, or the one that was connected before; None where somebody has to choose."""
    again = next((each for each in practices if each.xero_tenant_id == before), None)
    return practices[0] if len(practices) == 1 else again
