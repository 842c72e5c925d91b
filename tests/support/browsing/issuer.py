"""An OpenID Connect issuer of a practice's own: real codes, PKCE, and tokens signed with a key that it publishes."""

import asyncio
import base64
import hashlib
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from stack.ports import free_port
from tests.support.eventually import eventually

CLIENT_ID = "muster"
CLIENT_SECRET = "a-secret-between-the-two"


class Issuer:
    """Lets whoever comes in as the person whose claims these are."""

    def __init__(self, address: str, claims: Mapping[str, str]) -> None:
        self.address = address
        self.claims = claims
        self._key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self._asked: dict[str, Mapping[str, str]] = {}

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._configuration),
                Route("/keys", self._keys),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    async def _configuration(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.address,
                "authorization_endpoint": f"{self.address}/authorize",
                "token_endpoint": f"{self.address}/token",
                "jwks_uri": f"{self.address}/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
            }
        )

    async def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert (asked["client_id"], asked["code_challenge_method"]) == (CLIENT_ID, "S256")
        code = secrets.token_urlsafe(16)
        self._asked[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 302)

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        asked = self._asked.pop(str(form["code"]))
        given = base64.b64decode(request.headers["authorization"].partition(" ")[2]).decode()
        proof = base64.urlsafe_b64encode(hashlib.sha256(str(form["code_verifier"]).encode()).digest())
        if given != f"{CLIENT_ID}:{CLIENT_SECRET}" or proof.rstrip(b"=").decode() != asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims: dict[str, Any] = {
            **self.claims,
            "iss": self.address,
            "sub": "somebody",
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
        }
        id_token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self._key, algorithms=["RS256"])
        return JSONResponse(
            {
                "access_token": secrets.token_urlsafe(16),
                "token_type": "Bearer",
                "id_token": id_token,
                "expires_in": 300,
            }
        )


@asynccontextmanager
async def issuing(claims: Mapping[str, str]) -> AsyncIterator[Issuer]:
    """Have an issuer on a port of its own."""
    port = free_port()
    issuer = Issuer(f"http://127.0.0.1:{port}", claims)
    server = uvicorn.Server(
        uvicorn.Config(issuer.app(), host="127.0.0.1", port=port, log_config=None, lifespan="off")
    )
    serving = asyncio.create_task(server._serve())
    await eventually(lambda: server.started)
    try:
        yield issuer
    finally:
        server.should_exit = True
        await serving
