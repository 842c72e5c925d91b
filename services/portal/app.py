"""The portal's composition: the API, the console, and what both stand on."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.types import ASGIApp

from schemas.topics import JOURNAL, OUTCOMES, PROGRESS, REQUESTS
from services.portal import failures, signin
from services.portal.api import routing as api
from services.portal.browsers import Everything, Guarded, Paths
from services.portal.commands import Commands
from services.portal.console import routing as console
from services.portal.importer import Importer
from services.portal.limits import Limit
from services.portal.news import News
from services.portal.portal import Limits, Portal
from services.portal.progress import Notifier
from services.portal.reads import Reads
from services.portal.sessions import Sessions
from services.portal.settings import PortalSettings
from worker.app import Resources, Service
from worker.database import open_pool
from worker.tail import Tail
from worker.tokens import Tokens

READERS = 8
COOKIE = "muster_session"
NO_LIMIT = httpx.Limits(max_connections=None, max_keepalive_connections=20)
"""Every stream of progress holds a connection for as long as somebody listens."""


@asynccontextmanager
async def compose(resources: Resources) -> AsyncIterator[Service]:
    """Put the service together."""
    settings = resources.settings
    assert isinstance(settings, PortalSettings)
    tokens, news = Tokens.of(settings), News()
    trusted = httpx.create_ssl_context()  # once for both: it takes longer than all else in here
    async with (
        open_pool(settings, "portal-readers", READERS, role="muster_reader") as pool,
        httpx.AsyncClient(base_url=settings.importer_url, verify=trusted) as importer,
        httpx.AsyncClient(base_url=settings.notifier_url, limits=NO_LIMIT, verify=trusted) as notifier,
    ):
        reads = Reads(pool)
        portal = Portal(
            settings,
            reads,
            Commands(resources.publisher, news, reads),
            Importer(importer, settings.internal_token),
            Notifier(notifier, tokens),
            news,
            Sessions(),
            tokens,
            Limits(
                Limit(settings.commands_per_minute),
                Limit(settings.reads_per_minute),
                Limit(settings.sign_ins_per_minute),
            ),
        )
        tail = Tail(settings, "portal", (OUTCOMES, PROGRESS), news.take, news.missed, resources.progress)
        yield Service(
            None,
            routes=[Everything(web_app(portal))],
            tasks=(tail.run,),
            topics=(REQUESTS, JOURNAL, OUTCOMES, PROGRESS),
        )


def web_app(portal: Portal) -> ASGIApp:
    """Everything that the portal answers over HTTP."""
    settings = portal.settings
    key = settings.session_key.get_secret_value() if settings.session_key else secrets.token_urlsafe(32)
    sessions = Middleware(
        SessionMiddleware,
        secret_key=key,
        session_cookie=COOKIE,
        max_age=settings.session_hours * 3600,
        path=settings.path_prefix or "/",
        same_site="lax",
        https_only=settings.cookie_secure and not settings.demo,
    )
    app = FastAPI(
        title="Muster portal",
        version="1",
        summary="Clients, their people, imports from Xero Practice Manager, and what staff decide about them.",
        openapi_url="/api/openapi.json",
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
        middleware=[sessions],
        exception_handlers=failures.HANDLERS,
    )
    app.state.portal = portal
    app.include_router(api.router())
    api.describe(app)
    app.router.routes.extend([*signin.routes(settings), *console.routes()])
    return Paths(Guarded(app), settings.path_prefix)
