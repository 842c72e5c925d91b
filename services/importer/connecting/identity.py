"""Xero's token service: a code or a refresh token for a token set, and the end of one."""

from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx
import structlog

from services.importer.connecting.application import Application
from services.importer.connecting.keyring import Keyring
from services.importer.xpm.errors import ConnectionLost, SourceInvalid, SourceUnavailable, XpmError

log = structlog.get_logger(__name__)

TIMEOUT = httpx.Timeout(15, connect=5)
LONGEST_LIFE = 86_400 * 365
"""Of an access token, in seconds: whoever promises more is mistaken."""
EARLY = timedelta(seconds=60)
"""So long before its end, or a fifth of its life if that is shorter, an access token is renewed."""


class GrantRefused(Exception):
    """`invalid_grant`: the code or the refresh token is worth nothing any more. Somebody has to consent again."""


@dataclass(frozen=True, slots=True)
class TokenSet:
    """What opens XPM for a user's practices. Without a refresh token it ends with the access token."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    life: timedelta = timedelta()
    """How long the access token lives, counted from when it was asked for."""

    @property
    def renew_after(self) -> timedelta:
        return self.life - min(EARLY, self.life / 5)

    def sealed(self, keyring: Keyring, tenant_id: str) -> bytes:
        return keyring.seal(tenant_id, {"access": self.access_token, "refresh": self.refresh_token})

    @classmethod
    def opened(cls, keyring: Keyring, tenant_id: str, sealed: bytes) -> "TokenSet":
        """Raises `CannotOpen`."""
        values = keyring.open(tenant_id, sealed)
        return cls(values["access"] or "", values["refresh"])


class Identity:
    """The token service. Everything raises `GrantRefused` or the family of `services.importer.xpm.errors`."""

    def __init__(self, http: httpx.AsyncClient, application: Application) -> None:
        self._http = http
        self.application = application

    async def exchange(self, code: str, verifier: str) -> TokenSet:
        """The token set for a code that a browser brought back."""
        redirect = self.application.redirect_url
        return await self._tokens(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect,
                "code_verifier": verifier,
            }
        )

    async def refresh(self, refresh_token: str) -> TokenSet:
        """The next token set. If the answer was lost, the same refresh token is good for another 30 minutes."""
        return await self._tokens(
            {"grant_type": "refresh_token", "refresh_token": refresh_token}, refresh_token
        )

    async def revoke(self, refresh_token: str) -> None:
        """End the consent, and with it whatever its user has connected to us."""
        answer = await self._post(self.application.revocation_url, {"token": refresh_token})
        if not answer.is_success:
            raise _refusal(answer)

    async def _tokens(self, form: dict[str, str], former: str | None = None) -> TokenSet:
        answer = await self._post(self.application.token_url, form)
        if answer.status_code != HTTPStatus.OK:
            raise _refusal(answer)
        said = _json(answer)
        match said:
            case {"access_token": str(access), "expires_in": int() | float() as seconds} if (
                access and seconds is not True and 0 < seconds <= LONGEST_LIFE
            ):
                following = said.get("refresh_token")
                return TokenSet(
                    access, following if isinstance(following, str) else former, timedelta(seconds=seconds)
                )
        raise SourceInvalid("tokens that cannot be read")

    async def _post(self, url: str, form: dict[str, str]) -> httpx.Response:
        application = self.application
        secret = application.client_secret.get_secret_value()
        try:
            return await self._http.post(
                url, data=form, auth=(application.client_id, secret), timeout=TIMEOUT, follow_redirects=False
            )
        except httpx.HTTPError as error:
            raise ConnectionLost(type(error).__name__) from error


def _refusal(answer: httpx.Response) -> XpmError | GrantRefused:
    code = _json(answer).get("error")
    if answer.status_code == HTTPStatus.BAD_REQUEST and code == "invalid_grant":
        return GrantRefused()
    if code in ("invalid_client", "unauthorized_client", "invalid_scope"):
        log.error(
            "xero_refuses_the_application", code=code, what_to_do="check MUSTER_XPM_CLIENT_ID and its secret"
        )
    return SourceUnavailable(f"token service: HTTP {answer.status_code}")


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
