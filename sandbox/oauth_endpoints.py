"""
The sign-in service over HTTP.

| call | what it does |
| --- | --- |
| `GET /identity/connect/authorize` | the page on which a user says what an application may reach |
| `POST /identity/connect/authorize` | the user's answer; sends the browser back with a code, or with `access_denied` |
| `POST /connect/token` | a code, or a refresh token, for a token set |
| `POST /connect/revocation` | ends a consent with all that its user has connected |
| `GET, DELETE /connections[/{id}]` | what a token reaches; takes one connection away |
| `GET, POST /identity/connected-apps` | where users see what they have connected, and end it |

At Xero the first two are on login.xero.com, the next two on identity.xero.com, the connections on api.xero.com.
"""

import binascii
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from urllib.parse import urlencode, urlsplit, urlunsplit

from jinja2 import Environment, PackageLoader
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sandbox import answers
from sandbox.chance import made_up_uuid
from sandbox.faults import Fault
from sandbox.oauth import KNOWN_SCOPES, Asked, Connection, Issued, OAuthError, TenantType
from sandbox.state import Sandbox
from sandbox.trouble import on_its_way

USER = "sam.holt@accountants.example"
"""Who is signed in unless the page is told otherwise."""
SEE_OTHER = 303
_KEPT = (
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "response_type",
    "code_challenge",
    "code_challenge_method",
)
_NO_STORE = {"cache-control": "no-store"}
_PAGES = Environment(loader=PackageLoader("sandbox"), autoescape=True)


class SignIn:
    """The endpoints over one sandbox."""

    def __init__(self, sandbox: Sandbox, of_fixed_token: Callable[[Request], Awaitable[Response]]) -> None:
        """`of_fixed_token` answers for the connections of a practice's own token, which nobody has consented to."""
        self._sandbox = sandbox
        self._authority = sandbox.authority
        self._of_fixed_token = of_fixed_token

    def routes(self) -> list[Route]:
        authorize, apps = "/identity/connect/authorize", "/identity/connected-apps"
        return [
            Route(authorize, self.ask),
            Route(authorize, self.answer, methods=["POST"]),
            Route("/connect/token", self.token, methods=["POST"]),
            Route("/connect/revocation", self.revocation, methods=["POST"]),
            Route(apps, self.apps),
            Route(apps, self.withdraw, methods=["POST"]),
        ]

    async def ask(self, request: Request) -> Response:
        given = dict(request.query_params)
        if trouble := self._unsafe(given):
            return _page("refused.html", 400, trouble=trouble)
        try:
            asked = _asked(given)
        except OAuthError as error:
            return _back(given, error=error.code, error_description=error.description)
        return _page(
            "consent.html",
            user=given.get("user", USER),
            scopes=asked.scopes,
            practices=[(each.tenant_id, each.practice.name) for each in self._sandbox.tenancies.values()],
            kept={name: given[name] for name in _KEPT if name in given},
        )

    async def answer(self, request: Request) -> Response:
        form = await request.form()
        given = {name: _text(form, name) for name in _KEPT if name in form}
        if trouble := self._unsafe(given):
            return _page("refused.html", 400, trouble=trouble)
        chosen = [str(each) for each in form.getlist("practice") if each in self._sandbox.tenancies]
        if _text(form, "answer") != "allow" or not chosen:
            return _back(given, error="access_denied", error_description="The user has not consented.")
        try:
            asked = _asked(given)
        except OAuthError as error:
            return _back(given, error=error.code, error_description=error.description)
        tenants = [tenant for each in chosen for tenant in self._tenants(each)]
        return _back(given, code=self._authority.consent(_text(form, "user") or USER, asked, tenants))

    async def token(self, request: Request) -> Response:
        form, path = await request.form(), request.url.path
        if self._sandbox.faults.strikes("outage", None, path):
            return answers.unavailable()
        try:
            self._check_application(request, form)
            document = _document(self._issued(form))
        except OAuthError as error:
            status = 401 if error.code == "invalid_client" else 400
            return JSONResponse({"error": error.code}, status, _NO_STORE)
        refreshed = _text(form, "grant_type") == "refresh_token"
        lost = refreshed and self._sandbox.faults.strikes("refresh_lost", None, path)
        return (_Lost if lost else JSONResponse)(document, headers=_NO_STORE)

    async def revocation(self, request: Request) -> Response:
        form = await request.form()
        try:
            self._check_application(request, form)
        except OAuthError as error:
            return JSONResponse({"error": error.code}, 401)
        self._authority.revoke(_text(form, "token"))
        return Response()

    async def connections(self, request: Request) -> Response:
        event, token = request.query_params.get("authEventId"), _bearer(request)
        if not self._authority.issued(token):
            return await self._of_fixed_token(request)
        reached = self._authority.reached_by(token)
        return JSONResponse([_connection(each) for each in reached if event in (None, each.event_id)])

    async def disconnect(self, request: Request) -> Response:
        token = _bearer(request)
        known = self._authority.issued(token)
        done = known and self._authority.disconnect(token, request.path_params["connection"])
        return Response(status_code=204 if done else 404)

    async def apps(self, _: Request) -> Response:
        users: dict[str, list[Connection]] = {user: [] for user in self._authority.users()}
        for connection in self._authority.connections.values():
            users[connection.user].append(connection)
        return _page("connected_apps.html", users=users, application=self._authority.application.client_id)

    async def withdraw(self, request: Request) -> Response:
        self._authority.withdraw(_text(await request.form(), "user"))
        return RedirectResponse(request.url.path, SEE_OTHER)

    def _unsafe(self, given: Mapping[str, str]) -> str | None:
        """Why the browser must not be sent back to whoever asks."""
        application = self._authority.application
        if given.get("client_id") != application.client_id:
            return "There is no application with this client_id."
        if not application.may_redirect_to(given.get("redirect_uri", "")):
            return "This redirect_uri is not one that the application was registered with."
        return None

    def _check_application(self, request: Request, form: FormData) -> None:
        application = self._authority.application
        given = _basic(request) or (_text(form, "client_id"), _text(form, "client_secret"))
        if given != (application.client_id, application.client_secret):
            raise OAuthError("invalid_client")

    def _issued(self, form: FormData) -> Issued:
        """The token set that a form asks for. Raises `OAuthError`."""
        match _text(form, "grant_type"):
            case "authorization_code":
                code, redirect_uri = _text(form, "code"), _text(form, "redirect_uri")
                return self._authority.exchange(code, redirect_uri, _text(form, "code_verifier") or None)
            case "refresh_token":
                return self._authority.refresh(_text(form, "refresh_token"))
        raise OAuthError("unsupported_grant_type")

    def _tenants(self, tenant_id: str) -> list[tuple[str, TenantType, str]]:
        """The practice itself and, as users' consents often bring it along, the practice's own books."""
        name = self._sandbox.tenancies[tenant_id].practice.name
        return [
            (tenant_id, "PRACTICEMANAGER", name),
            (made_up_uuid("books", tenant_id), "ORGANISATION", f"{name} (own books)"),
        ]


class _Lost(JSONResponse):
    """An answer that never arrives whole."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(scope, receive, on_its_way(Fault(kind="cut"), send))


def _asked(given: Mapping[str, str]) -> Asked:
    """Raises `OAuthError` for what no page can be shown for."""
    if given.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "Only the code flow is there.")
    scopes = tuple(given.get("scope", "").split())
    if unknown := [scope for scope in scopes if scope not in KNOWN_SCOPES]:
        raise OAuthError("invalid_scope", f"Unknown: {' '.join(unknown)}")
    challenge = given.get("code_challenge")
    if challenge is not None and given.get("code_challenge_method") != "S256":
        raise OAuthError("invalid_request", "The code_challenge_method has to be S256.")
    return Asked(given["redirect_uri"], scopes, challenge)


def _back(given: Mapping[str, str], **result: str) -> Response:
    """Send the browser back to where it came from."""
    if "state" in given:
        result["state"] = given["state"]
    address = urlsplit(given["redirect_uri"])
    query = "&".join(filter(None, (address.query, urlencode(result))))
    return RedirectResponse(urlunsplit(address._replace(query=query)), SEE_OTHER)


def _page(name: str, status: int = 200, **shown: object) -> Response:
    return HTMLResponse(_PAGES.get_template(name).render(**shown), status, _NO_STORE)


def _document(issued: Issued) -> dict[str, object]:
    tokens = {"access_token": issued.access, "refresh_token": issued.refresh}
    return {
        **{name: token for name, token in tokens.items() if token is not None},
        "expires_in": int(issued.seconds),
        "token_type": "Bearer",
        "scope": " ".join(issued.scopes),
    }


def _connection(connection: Connection) -> dict[str, str]:
    return {
        "id": connection.id,
        "authEventId": connection.event_id,
        "tenantId": connection.tenant_id,
        "tenantType": connection.tenant_type,
        "tenantName": connection.tenant_name,
        "createdDateUtc": _printed(connection.created_at),
        "updatedDateUtc": _printed(connection.updated_at),
    }


def _printed(moment: datetime) -> str:
    """Seven digits of a second and no zone, as .NET prints it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}0"


def _bearer(request: Request) -> str:
    return request.headers.get("authorization", "").partition(" ")[2]


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, password = b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password


def _text(form: FormData, name: str) -> str:
    found = form.get(name, "")
    return found if isinstance(found, str) else ""
