"""Signed tokens that let their bearer see or do something for one tenant: JWTs with a key that both sides know.

header   {"alg": "HS256"}
claims   tenant   the practice
         aud      who is to take it: `muster-notifier`, `muster-portal`
         exp      until when, in seconds since 1970; a token without it is refused
"""

import ipaddress
import time
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from pydantic import TypeAdapter, ValidationError

from schemas.fields import TenantId
from worker.failures import Stop
from worker.settings import Settings

NOTIFIER = "muster-notifier"
PORTAL = "muster-portal"
ALGORITHM = "HS256"
LEAST_KEY = 32
DEMO_KEY = "everybody-knows-this-key-which-is-for-demonstrations"
_tenant: TypeAdapter[str] = TypeAdapter(TenantId)


class NoKey(Stop):
    """Tokens can't be checked. Set MUSTER_TOKEN_KEY, the same for the notifier and the portal's backend."""


class BadToken(ValueError):
    """It is forged, over, for somebody else, or no token at all."""


class Tokens:
    """Makes and reads tokens."""

    def __init__(self, key: str) -> None:
        self._key = OctKey.import_key(key)

    @classmethod
    def of(cls, settings: Settings) -> "Tokens":
        """With the key of the settings, or in demo mode, on this machine, one that everybody knows. Raises `NoKey`."""
        if settings.token_key is not None:
            key = settings.token_key.get_secret_value()
            if len(key) < LEAST_KEY:
                raise NoKey(f"MUSTER_TOKEN_KEY is too short: {LEAST_KEY} characters or more.")
            return cls(key)
        if not settings.demo:
            raise NoKey(
                "MUSTER_TOKEN_KEY is missing: 32 characters or more, the same for the notifier and for whoever makes "
                "tokens for it. To try things out on this machine, MUSTER_DEMO=true does without."
            )
        if not is_loopback(settings.http_host):
            raise NoKey(
                f"In demo mode without MUSTER_TOKEN_KEY a process may listen on this machine only, not on "
                f"{settings.http_host} (MUSTER_HTTP_HOST)."
            )
        return cls(DEMO_KEY)

    def make(self, tenant_id: str, audience: str, seconds: float, **more: str) -> str:
        """A token for one tenant that is good for so long."""
        now = int(time.time())
        claims = {**more, "tenant": tenant_id, "aud": audience, "iat": now, "exp": now + int(seconds)}
        return jwt.encode({"alg": ALGORITHM}, claims, self._key)

    def read(self, token: str, audience: str) -> dict[str, Any]:
        """The claims of a token, `tenant` among them. Raises `BadToken`."""
        try:
            claims: dict[str, Any] = jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
            _claims(audience).validate(claims)
            _tenant.validate_python(claims["tenant"], strict=True)
        except (JoseError, ValidationError, ValueError, TypeError, KeyError):
            raise BadToken("not a token that is good here") from None
        return claims


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a process that listens there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bearer(headers: Mapping[str, str]) -> str | None:
    """The token that a request carries, if any."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _claims(audience: str) -> jwt.JWTClaimsRegistry:
    return jwt.JWTClaimsRegistry(
        aud={"essential": True, "value": audience}, exp={"essential": True}, tenant={"essential": True}
    )
