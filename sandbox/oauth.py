"""
Xero's sign-in service as far as an application sees it: consents, codes, token sets that rotate, and connections.

A token belongs to a user and reaches whatever that user has connected to the application, over all of the user's
consents. What no public source settles is taken the harsh way: once a refresh token has been exchanged, the new one's
first use ends the old one for good, and an old one that is used again meanwhile ends the new one.
"""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal
from urllib.parse import urlsplit
from uuid import uuid4

TenantType = Literal["PRACTICEMANAGER", "ORGANISATION"]

_READ_EVERYTHING = frozenset({"practicemanager", "practicemanager.read"})
_AREAS = ("client", "staff", "job", "time")
KNOWN_SCOPES = _READ_EVERYTHING | {
    "offline_access", "openid", "profile", "email",
    *(f"practicemanager.{area}{ending}" for area in _AREAS for ending in ("", ".read")),
}  # fmt: skip
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class OAuthError(Exception):
    """A request that is refused, under the code that RFC 6749 gives it."""

    def __init__(self, code: str, description: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.description = description


@dataclass(frozen=True, slots=True)
class Application:
    """The application that practices connect. Without `redirects` any address of this machine will do."""

    client_id: str = "muster"
    client_secret: str = "muster-at-the-sandbox"  # noqa: S105 - opens nothing but this sandbox
    redirects: tuple[str, ...] = ()

    def may_redirect_to(self, address: str) -> bool:
        return address in self.redirects if self.redirects else _is_of_this_machine(address)


@dataclass(frozen=True, slots=True)
class Lives:
    """How long things are good for, in seconds: Xero's own unless given."""

    code: float = 300
    access: float = 1_800
    refresh: float = 60 * 86_400
    grace: float = 1_800
    """For so long a refresh token whose answer was lost may be used again."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an application asks a user for."""

    redirect_uri: str
    scopes: tuple[str, ...]
    challenge: str | None = None
    """The SHA-256 of a verifier that only the asking application knows (RFC 7636)."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A practice, or an organisation, that a user has connected to the application."""

    id: str
    user: str
    event_id: str
    tenant_id: str
    tenant_type: TenantType
    tenant_name: str
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True)
class Grant:
    """One consent's line of token sets."""

    user: str
    scopes: tuple[str, ...]
    refresh: str | None = None
    refreshed_at: datetime | None = None
    retired: str | None = None
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """A token set as it is handed out."""

    access: str
    refresh: str | None
    seconds: float
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Code:
    user: str
    asked: Asked
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Access:
    grant: Grant
    expires_at: datetime


@dataclass(slots=True)
class Authority:
    """Everything that the sign-in service knows. `now` is the sandbox's clock."""

    now: Callable[[], datetime]
    application: Application = field(default_factory=Application)
    lives: Lives = field(default_factory=Lives)
    connections: dict[str, Connection] = field(default_factory=dict)
    issues: int = 0
    """How many token sets were handed out."""
    refusals: int = 0
    """How often a refresh token was not taken."""
    _codes: dict[str, _Code] = field(default_factory=dict)
    _access: dict[str, _Access] = field(default_factory=dict)
    _refresh: dict[str, Grant] = field(default_factory=dict)

    def consent(self, user: str, asked: Asked, tenants: Iterable[tuple[str, TenantType, str]]) -> str:
        """The user connects these tenants (id, type, name); returns the code that the browser takes along."""
        event_id, now = str(uuid4()), self.now()
        for tenant_id, tenant_type, name in tenants:
            known = self._connected(user).get(tenant_id)
            connection = Connection(
                known.id if known else str(uuid4()), user, event_id, tenant_id, tenant_type, name,
                known.created_at if known else now, now,
            )  # fmt: skip
            self.connections[connection.id] = connection
        code = secrets.token_urlsafe(24)
        self._codes[code] = _Code(user, asked, now + timedelta(seconds=self.lives.code))
        return code

    def exchange(self, code: str, redirect_uri: str, verifier: str | None) -> Issued:
        """A code for a token set, once. Raises `OAuthError`."""
        found = self._codes.pop(code, None)
        if found is None or found.expires_at <= self.now() or found.asked.redirect_uri != redirect_uri:
            raise OAuthError("invalid_grant", "unknown, used or expired code, or another redirect_uri")
        if found.asked.challenge is not None and challenge_of(verifier or "") != found.asked.challenge:
            raise OAuthError("invalid_grant", "the code_verifier does not fit")
        return self._issue(Grant(found.user, found.asked.scopes))

    def refresh(self, token: str) -> Issued:
        """A new token set for the current refresh token, or for the last one within its grace. Raises `OAuthError`."""
        grant = self._refresh.get(token)
        if grant is None or not self._is_good(grant, token):
            self.refusals += 1
            raise OAuthError("invalid_grant")
        if token == grant.refresh:
            self._forget(grant.retired)
            grant.retired, grant.retired_at = token, self.now()
        else:
            self._forget(grant.refresh)
        return self._issue(grant)

    def revoke(self, token: str) -> None:
        """End a consent, and with it everything that its user has connected. Unknown tokens are ignored."""
        grant = self._refresh.get(token)
        if grant is not None:
            self._end(grant)
            self._disconnect_all(grant.user)

    def withdraw(self, user: str) -> None:
        """What a user does in Xero's list of connected applications: every consent and connection of theirs ends."""
        for grant in {id(grant): grant for grant in self._refresh.values()}.values():
            if grant.user == user:
                self._end(grant)
        self._disconnect_all(user)

    def disconnect(self, token: str, connection_id: str) -> bool:
        """End one connection of the token's user; whether there was one."""
        connection = self.connections.get(connection_id)
        if connection is None or connection.user != self._access[token].grant.user:
            return False
        del self.connections[connection_id]
        return True

    def issued(self, token: str) -> bool:
        """Whether it is an access token from here, whatever it is worth by now."""
        return token in self._access

    def is_over(self, token: str) -> bool:
        return self.ends(token) <= self.now()

    def ends(self, token: str) -> datetime:
        """When the access token ends, or ended."""
        return self._access[token].expires_at

    def reached_by(self, token: str) -> list[Connection]:
        """What the access token's user has connected."""
        return list(self._connected(self._access[token].grant.user).values())

    def may_read(self, token: str, method: str) -> bool:
        """Whether the consent covers a method such as `client.api/get`; those of staff have scopes of their own."""
        area = "staff" if method.startswith("staff.") else "client"
        of_area = {f"practicemanager.{area}", f"practicemanager.{area}.read"}
        return not (_READ_EVERYTHING | of_area).isdisjoint(self._access[token].grant.scopes)

    def users(self) -> list[str]:
        """Everybody who has connected something."""
        return sorted({connection.user for connection in self.connections.values()})

    def secrets(self) -> set[str]:
        """Every token that may still be worth something."""
        return {*self._access, *self._refresh}

    def _connected(self, user: str) -> dict[str, Connection]:
        return {each.tenant_id: each for each in self.connections.values() if each.user == user}

    def _is_good(self, grant: Grant, token: str) -> bool:
        if token == grant.refresh:
            since, seconds = grant.refreshed_at, self.lives.refresh
        else:
            since, seconds = grant.retired_at, self.lives.grace
        return since is not None and self.now() < since + timedelta(seconds=seconds)

    def _issue(self, grant: Grant) -> Issued:
        access, now = secrets.token_urlsafe(32), self.now()
        self.issues += 1
        self._access[access] = _Access(grant, now + timedelta(seconds=self.lives.access))
        if "offline_access" in grant.scopes:
            grant.refresh, grant.refreshed_at = secrets.token_urlsafe(32), now
            self._refresh[grant.refresh] = grant
        return Issued(access, grant.refresh, self.lives.access, grant.scopes)

    def _forget(self, token: str | None) -> None:
        self._refresh.pop(token or "", None)

    def _end(self, grant: Grant) -> None:
        self._forget(grant.refresh)
        self._forget(grant.retired)

    def _disconnect_all(self, user: str) -> None:
        for connection in self._connected(user).values():
            del self.connections[connection.id]


def _is_of_this_machine(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.hostname in _LOOPBACK


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
