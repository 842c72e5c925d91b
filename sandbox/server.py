"""The sandbox over HTTP: as a process of its own, or inside a running event loop for tests."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import uvicorn
from starlette.types import ASGIApp

from sandbox.app import create_app
from sandbox.quota import GENEROUS, Limits
from sandbox.state import Tenancy

_LOCAL = "127.0.0.1"


def serve(
    host: str, port: int, tenancies: Sequence[Tenancy] | None = None, limits: Limits = GENEROUS
) -> None:
    """Answer until the process is told to stop (SIGINT or SIGTERM)."""
    server = uvicorn.Server(_config(create_app(tenancies, limits), host=host, port=port))
    with suppress(KeyboardInterrupt):
        server.run()


@asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[str]:
    """An application on a free port of this machine; yields its address, such as `http://127.0.0.1:40123`."""
    listener = socket.create_server((_LOCAL, 0))
    server = uvicorn.Server(_config(app))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://{_LOCAL}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        server.force_exit = True
        await serving


def _config(app: ASGIApp, host: str = _LOCAL, port: int = 0) -> uvicorn.Config:
    return uvicorn.Config(app, host=host, port=port, access_log=False, log_level="warning", lifespan="off")
