"""Who is asking: a person of one practice, with what they may do, and the session that says so."""

import secrets
import time
from dataclasses import dataclass
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from schemas.fields import StaffName, TenantId
from services.portal.problems import forged, not_allowed, signed_out
from services.portal.settings import Role
from worker.problems import Problem
from worker.tokens import PORTAL, Tokens, bearer

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_name: TypeAdapter[str] = TypeAdapter(StaffName)
_tenant: TypeAdapter[str] = TypeAdapter(TenantId)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has signed in. Everything they see and do is of their tenant."""

    tenant_id: str
    name: str
    practice: str
    role: Role
    csrf: str | None = None
    """What a request that changes something has to carry; None where no browser is involved."""
    session: str | None = None
    """The id of the browser's session."""
    until: float | None = None
    """When the session or the token is over, in seconds since 1970."""

    @property
    def may_decide(self) -> bool:
        return self.role == "staff"

    @property
    def key(self) -> str:
        """Whose limits these are."""
        return f"{self.tenant_id}/{self.name}"


def begin_session(
    request: Request, *, tenant_id: str, name: str, practice: str, role: Role, hours: float
) -> None:
    """Sign the person in for so many hours; whatever the session held before is gone.

    Raises `Problem` for what no event could carry.
    """
    try:
        held = {"tenant_id": _tenant.validate_python(tenant_id), "name": _name.validate_python(name)}
    except ValidationError:
        raise Problem(403, "no-practice", "Your account belongs to no practice here.") from None
    request.session.clear()
    request.session.update(
        held,
        practice=practice,
        role=role,
        csrf=secrets.token_urlsafe(24),
        id=secrets.token_urlsafe(12),
        until=time.time() + hours * 3600,
    )


def keep_proof(request: Request, proof: str) -> None:
    """Keep what proves that this browser began to connect the practice; one attempt at a time."""
    request.session["connecting"] = proof


def kept_proof(request: Request) -> str:
    """The proof that was kept; empty if there is none."""
    return str(request.session.get("connecting", ""))


def forget_proof(request: Request) -> None:
    """The attempt has come to its end."""
    request.session.pop("connecting", None)


def person_of(request: Request, tokens: Tokens) -> Person:
    """Who asks, by a session or a token. Raises `Problem`: signed out."""
    token = bearer(request.headers)
    if token is not None:
        return _by_token(token, tokens)
    session = request.session
    if session.get("until", 0) <= time.time():
        raise signed_out()
    return Person(
        session["tenant_id"],
        session["name"],
        session["practice"],
        session["role"],
        session["csrf"],
        session["id"],
        session["until"],
    )


def check_may_change(request: Request, person: Person, form_token: str | None = None) -> None:
    """Raise `Problem` unless the person may change things, and the request comes from a page that we sent them."""
    if not person.may_decide:
        raise not_allowed()
    check_is_ours(request, person, form_token)


def check_is_ours(request: Request, person: Person, form_token: str | None = None) -> None:
    """Raise `Problem` for a request that another site's page may have sent."""
    if person.csrf is None or request.method in SAFE_METHODS:
        return
    given = request.headers.get("x-csrf-token") or form_token or ""
    if not secrets.compare_digest(given.encode(), person.csrf.encode()):
        raise forged()


def _by_token(token: str, tokens: Tokens) -> Person:
    try:
        claims: dict[str, Any] = tokens.read(token, PORTAL)
        name = _name.validate_python(claims.get("name"), strict=True)
    except ValueError:
        raise signed_out() from None
    role = "staff" if claims.get("role") == "staff" else "read_only"
    practice = str(claims.get("practice", ""))
    return Person(claims["tenant"], name, practice, cast("Role", role), until=float(claims["exp"]))
