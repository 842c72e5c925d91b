"""The whole sandbox as one ASGI application."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route

from sandbox.admin import Admin
from sandbox.gate import Gate
from sandbox.oauth_endpoints import SignIn
from sandbox.pages.pages import Pages
from sandbox.practicemanager import PracticeManager
from sandbox.state import Sandbox

API_PATH = "/practicemanager/3.1"
OLD_API_PATH = "/practicemanager/3.0"
"""The same methods, with numeric ids."""


def sandbox_app(sandbox: Sandbox) -> Starlette:
    """The application over a given state."""
    methods = PracticeManager(sandbox)
    sign_in = SignIn(sandbox, methods.connections)
    by_token = [Middleware(Gate, sandbox=sandbox, tenanted=False)]
    by_tenant = [Middleware(Gate, sandbox=sandbox, tenanted=True)]
    return Starlette(
        routes=[
            *sign_in.routes(),
            Route("/connections", sign_in.connections, middleware=by_token),
            Route("/connections/{connection}", sign_in.disconnect, methods=["DELETE"], middleware=by_token),
            Mount(API_PATH, routes=methods.routes(), middleware=by_tenant),
            Mount(OLD_API_PATH, routes=PracticeManager(sandbox, numeric=True).routes(), middleware=by_tenant),
            Mount("/sandbox/pages", app=Pages(sandbox).app()),
            Mount("/sandbox", app=Admin(sandbox).app()),
        ]
    )
