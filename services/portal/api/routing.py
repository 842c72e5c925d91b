"""All of the API."""

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from services.portal.api import clients, commands, connection, imports, items, members, progress
from services.portal.api.models import ProblemDocument

PROBLEM: dict[str, Any] = {
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"description": "What was asked makes no sense"} | PROBLEM,
    401: {"description": "Sign in first"} | PROBLEM,
    403: {"description": "It is not yours to do, or the CSRF token is missing"} | PROBLEM,
    404: {"description": "There is no such thing, or it is another practice's"} | PROBLEM,
    409: {"description": "The practice's connection does not allow it"} | PROBLEM,
    413: {"description": "It is too large"} | PROBLEM,
    422: {"description": "Some of it is not as it must be; `errors` says what"} | PROBLEM,
    429: {"description": "Too much at once; `Retry-After` says how long to wait"} | PROBLEM,
    502: {"description": "XPM sent something unreadable"} | PROBLEM,
    503: {"description": "Something does not answer at the moment; `Retry-After` says when to try again"}
    | PROBLEM,
}


def router() -> APIRouter:
    """Every route under `/api`."""
    api = APIRouter(prefix="/api", responses=PROBLEMS)
    for part in (clients, members, imports, items, commands, connection, progress):
        api.include_router(part.router)
    return api


def describe(app: FastAPI) -> None:
    """Let the app's OpenAPI document describe the problems too, which no route returns by itself."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
            _, problems = models_json_schema(
                [(ProblemDocument, "serialization")], ref_template="#/components/schemas/{model}"
            )
            made["components"]["schemas"] |= problems["$defs"]
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's own way of extending the document
