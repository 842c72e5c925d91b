"""The authorization-code flow as far as it is decided without asking anybody: pure but for chance."""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import SecretStr

Result = Literal["confirm", "connected", "choose_practice", "failed"]
FailureReason = Literal[
    "access_denied",
    "another_browser",
    "over",
    "expired",
    "refused",
    "no_practice",
    "practice_taken",
    "source_unavailable",
    "source_invalid",
]
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Application:
    """What Xero knows us as, and where its sign-in is. `authorize_url` is for browsers, the other two for us."""

    client_id: str
    client_secret: SecretStr
    redirect_url: str
    authorize_url: str
    token_url: str
    revocation_url: str
    scopes: str

    def where_to_consent(self, attempt: "Attempt") -> str:
        """The address to send the browser to."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_url,
            "scope": self.scopes,
            "state": attempt.state,
            "code_challenge": challenge_of(attempt.verifier),
            "code_challenge_method": "S256",
        }
        return with_parameters(self.authorize_url, asked)


def secret() -> str:
    """What nobody can guess."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Attempt:
    """
    One attempt to connect: `state` travels to Xero and back, `verifier` stays until the code is exchanged.

    `proof` stays with the session of the browser it was begun in, and never goes to Xero: whoever is lured to our
    consent with somebody else's address does not have it.
    """

    state: str = field(default_factory=secret, repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)
    proof: str = field(default_factory=secret, repr=False)


def challenge_of(verifier: str) -> str:
    """The S256 challenge of RFC 7636."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def digest_of(bearing: str) -> bytes:
    """What is kept of a state, a proof or a ticket: who reads the table can't take anybody's attempt over."""
    return sha256(bearing.encode("utf-8", "surrogatepass")).digest()


def with_result(return_url: str, result: Result, **more: str) -> str:
    """The address at which the browser comes back."""
    return with_parameters(return_url, {"connection": result, **more})


def with_parameters(address: str, parameters: Mapping[str, str]) -> str:
    """The address with these parameters added to its query, in the place of those of the same name."""
    parts = urlsplit(address)
    kept = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name not in parameters
    ]
    return urlunsplit(parts._replace(query=urlencode([*kept, *parameters.items()])))


def may_return_to(address: str, allowed: Iterable[str]) -> bool:
    """
    Whether the address begins with one that is allowed: same scheme, host and port, and a path below it.

    An allowed address of this machine without a port stands for every port of it.
    """
    try:
        return any(_is_below(urlsplit(address), urlsplit(each)) for each in allowed)
    except ValueError:
        return False


def _is_below(address: SplitResult, allowed: SplitResult) -> bool:
    if address.username is not None or "\\" in address.geturl() or not address.geturl().isprintable():
        return False
    any_port = allowed.hostname in LOOPBACK and allowed.port is None
    ports_fit = any_port or _port(address) == _port(allowed)
    path = allowed.path.rstrip("/")
    return (
        (address.scheme, address.hostname) == (allowed.scheme, allowed.hostname)
        and ports_fit
        and (address.path == path or address.path.startswith(f"{path}/"))
        and ".." not in address.path.lower().replace("%2e", ".").split("/")  # browsers read it so too
    )


def _port(parts: SplitResult) -> int | None:
    return parts.port or {"http": 80, "https": 443}.get(parts.scheme)
