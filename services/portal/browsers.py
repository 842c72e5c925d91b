"""What stands between browsers and the portal: paths as they were sent, sizes, and what pages may do."""

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.problems import Problem, answer

LARGEST_BODY = 1024 * 1024
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""No script and no style but from our own files; no frame around us; forms go nowhere else."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
TOO_LARGE = Problem(413, "too-large", "That is more than the portal takes at once.")
NOT_ASCII = Problem(400, "bad-path", "The path is not one that a browser would send.")


class Paths:
    """Routes by the path as it was sent: a slash within an id comes as %2F. The prefix may be there or stripped."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            path = scope["raw_path"].decode("ascii")
        except UnicodeDecodeError:
            await answer(NOT_ASCII)(scope, receive, send)
            return
        within = path.removeprefix(self._prefix) if f"{path}/".startswith(f"{self._prefix}/") else path
        placed = {**scope, "path": self._prefix + (within or "/"), "root_path": self._prefix}
        await self._app(placed, receive, send)


class Everything(BaseRoute):
    """Routes whatever is left to an app. A mount at the root would not: its pattern stops at an encoded line break."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.FULL if scope["type"] == "http" else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


class Guarded:
    """Puts what browsers have to know on every answer, and takes no more than a certain size."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > LARGEST_BODY:
            await answer(TOO_LARGE)(scope, receive, guarded)
            return
        await self._app(scope, _limited(receive), guarded)


class _TooMuch(HTTPException):
    """One of Starlette's own, since FastAPI takes any other exception from a body for a mistake in its JSON."""

    def __init__(self) -> None:
        super().__init__(TOO_LARGE.status)


def _limited(receive: Receive) -> Receive:
    """The body, as long as no more comes than was to be expected; a body sent in chunks declares nothing."""
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > LARGEST_BODY:
            raise _TooMuch
        return message

    return limited
