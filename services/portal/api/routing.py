"""All of the API."""

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from services.portal.api import clients, commands, connection, imports, items, members, progress
from services.portal.api.examples import EXAMPLES
from services.portal.api.models import ProblemDocument

PROBLEM: dict[str, Any] = {
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
}
RETRY_AFTER: dict[str, Any] = {
    "headers": {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"description": "What was asked makes no sense"} | PROBLEM,
    401: {"description": "Sign in first"} | PROBLEM,
    403: {"description": "It is not yours to do, or the CSRF token is missing"} | PROBLEM,
    404: {"description": "There is no such thing, or it is another practice's"} | PROBLEM,
    409: {"description": "The practice's connection does not allow it"} | PROBLEM,
    413: {"description": "It is too large"} | PROBLEM,
    422: {"description": "Some of it is not as it must be; `errors` says what"} | PROBLEM,
    429: {"description": "Too much at once; `Retry-After` says how long to wait"} | PROBLEM | RETRY_AFTER,
    502: {"description": "XPM sent something unreadable"} | PROBLEM,
    503: {"description": "Something does not answer at the moment; `Retry-After` says when to try again"}
    | PROBLEM
    | RETRY_AFTER,
}


TAGS = [
    {"name": "clients", "description": "The practice's clients, and searching those that XPM has"},
    {"name": "members", "description": "The people of a client"},
    {"name": "imports", "description": "Asking for imports from XPM"},
    {"name": "review", "description": "What came through, and deciding it"},
    {"name": "commands", "description": "What a command came to"},
    {"name": "connection", "description": "The practice's connection to XPM"},
    {"name": "progress", "description": "Every integration action of the past 72 hours, live"},
]


def router() -> APIRouter:
    """Every route under `/api`, named and summed up as its function is."""
    api = APIRouter(prefix="/api", responses=PROBLEMS, generate_unique_id_function=lambda route: route.name)
    for part in (clients, members, imports, items, commands, connection, progress):
        for route in part.router.routes:
            if isinstance(route, APIRoute):
                route.summary = route.description.split("\n")[0].split(". ")[0].rstrip(".")
        api.include_router(part.router)
    return api


def describe(app: FastAPI) -> None:
    """Let the app's OpenAPI document describe the problems too, which no route returns by itself."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title, version=app.version, summary=app.summary, routes=app.routes, tags=TAGS
            )
            _, problems = models_json_schema(
                [(ProblemDocument, "serialization")], ref_template="#/components/schemas/{model}"
            )
            schemas = made["components"]["schemas"]
            schemas |= problems["$defs"]
            for name, examples in EXAMPLES.items():
                schemas[name]["examples"] = examples
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's own way of extending the document
