"""All pages of the console."""

from starlette.routing import BaseRoute

from services.portal.console import clients, imports, integrations, live, members, pages, review


def routes() -> list[BaseRoute]:
    """The routes, under no prefix."""
    return [
        *pages.routes(),
        *clients.routes(),
        *members.routes(),
        *imports.routes(),
        *integrations.routes(),
        *review.routes(),
        *live.routes(),
    ]
