"""Signing in: by OpenID Connect where it is configured, as a demo user in demo mode."""

import re
from typing import Any
from urllib.parse import urlencode

from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import OAuth
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from services.portal.console.pages import go, page
from services.portal.people import begin_session, check_is_ours, person_of
from services.portal.portal import portal_of, public_url
from services.portal.settings import PortalSettings
from worker.problems import Problem

BEGINNING = "/clients"
_OURS = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")
"""A path and query of this site, and no other's address in disguise."""
NOT_KNOWN = Problem(403, "no-such-user", "There is no such demo user.")


def routes(settings: PortalSettings) -> list[Route]:
    """The pages of signing in and out."""
    found = [Route("/sign-in", _sign_in), Route("/sign-out", _sign_out, methods=["POST"])]
    if settings.signs_in_by_oidc:
        oidc = _Oidc(settings)
        found += [Route("/sign-in/oidc", oidc.begin), Route("/sign-in/oidc/callback", oidc.end)]
    if settings.demo:
        found.append(Route("/sign-in", _sign_in_as_demo_user, methods=["POST"]))
    return found


async def _sign_in(request: Request) -> Response:
    settings = portal_of(request).settings
    users = settings.demo_users if settings.demo else ()
    back = back_to(request.query_params.get("back"))
    query = "" if back == BEGINNING else f"?{urlencode({'back': back})}"
    return page(request, "sign_in.html", users=users, oidc=settings.signs_in_by_oidc, back=back, query=query)


async def _sign_in_as_demo_user(request: Request) -> Response:
    _take_a_turn(request)
    form, settings = await request.form(), portal_of(request).settings
    user = next((each for each in settings.demo_users if each.username == form.get("username")), None)
    if user is None:
        raise NOT_KNOWN
    begin_session(
        request,
        tenant_id=user.tenant_id,
        name=user.name,
        practice=user.practice,
        role=user.role,
        hours=settings.session_hours,
    )
    return go(request, back_to(form.get("back")))


async def _sign_out(request: Request) -> Response:
    person = person_of(request, portal_of(request).tokens)
    check_is_ours(request, person, str((await request.form()).get("csrf", "")))
    portal_of(request).sessions.end(person)
    request.session.clear()
    return go(request, "/sign-in")


class _Oidc:
    """The authorization code flow with PKCE, against the issuer's published configuration."""

    def __init__(self, settings: PortalSettings) -> None:
        assert settings.oidc_issuer is not None
        assert settings.oidc_client_secret is not None
        self._settings = settings
        self._client = OAuth().register(
            "oidc",
            server_metadata_url=f"{settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret.get_secret_value(),
            client_kwargs={"scope": settings.oidc_scopes, "code_challenge_method": "S256"},
        )

    async def begin(self, request: Request) -> Response:
        """Send the browser to the issuer."""
        _take_a_turn(request)
        request.session["back"] = back_to(request.query_params.get("back"))
        redirect: RedirectResponse = await self._client.authorize_redirect(
            request, public_url(request, "/sign-in/oidc/callback")
        )
        return redirect

    async def end(self, request: Request) -> Response:
        """Take what the issuer says of the person: without a practice nobody gets in."""
        _take_a_turn(request)
        try:
            token = await self._client.authorize_access_token(request)
        except OAuthError as error:
            raise Problem(403, "sign-in-failed", "The sign-in did not come to an end: try again.") from error
        claims: dict[str, Any] = token.get("userinfo") or {}
        back = back_to(request.session.get("back"))
        settings = self._settings
        role = claims.get(settings.oidc_role_claim)
        begin_session(
            request,
            tenant_id=claims.get(settings.oidc_tenant_claim, ""),
            name=claims.get("name") or claims.get("email") or claims.get("sub", ""),
            practice=str(claims.get(settings.oidc_practice_claim, "")),
            role="staff" if role == "staff" else "read_only",
            hours=settings.session_hours,
        )
        return go(request, back)


def back_to(asked: object) -> str:
    """The page of ours to which the sign-in leads back."""
    return asked if isinstance(asked, str) and _OURS.fullmatch(asked) else BEGINNING


def _take_a_turn(request: Request) -> None:
    address = request.client.host if request.client else ""
    portal_of(request).limits.sign_ins.take(address)
