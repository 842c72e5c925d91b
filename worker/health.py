"""Health and metrics over HTTP.

/health/live    200 as long as the loop comes round; otherwise whoever runs the process should start it again
/health/ready   200 when it has joined its group (or stands by on purpose) and the database answers
/metrics        Prometheus; on a port of its own where one is set, since it asks nobody who they are
"""

import time
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from worker.database import TROUBLE, connect
from worker.progress import READY_STATES, Progress
from worker.settings import Settings

LONGEST_TURN_SECONDS = 30.0
"""A turn is one batch at most; a loop that takes longer is not well, though not yet stuck."""
DATABASE_SECONDS = 2.0


def routes(settings: Settings, progress: Progress) -> list[Route]:
    """How the process is, for whoever restarts it or sends it requests."""

    async def live(_: Request) -> Response:
        return _answer(progress, well=progress.age(time.monotonic()) < settings.watchdog_seconds)

    async def ready(_: Request) -> Response:
        database = await _database_answers(settings)
        well = progress.state in READY_STATES and progress.age(time.monotonic()) < LONGEST_TURN_SECONDS
        return _answer(progress, well=well and database, database=database)

    return [Route("/health/live", live), Route("/health/ready", ready)]


def metrics_routes() -> list[Route]:
    """What is measured, for whoever watches."""

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/metrics", metrics)]


def _answer(progress: Progress, *, well: bool, **more: Any) -> Response:
    said = {"state": progress.state, "progress_age_seconds": round(progress.age(time.monotonic()), 3), **more}
    return JSONResponse(said, status_code=200 if well else 503)


async def _database_answers(settings: Settings) -> bool:
    try:
        database = await connect(settings, "health", limit=DATABASE_SECONDS)
    except TROUBLE:
        return False
    await database.close(timeout=DATABASE_SECONDS)
    return True
