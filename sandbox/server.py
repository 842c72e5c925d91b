"""The sandbox over HTTP: as a process of its own, or inside a running event loop for tests."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import uvicorn
from starlette.types import ASGIApp

_LOCAL = "127.0.0.1"


def listen(host: str, port: int) -> socket.socket:
    """
    A socket that names its protocol: only then asyncio turns off Nagle's algorithm, by which the second piece of an
    answer waits for the first one's acknowledgement, 40 ms as a rule. Raises `OSError` where the port is taken.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def serve(listener: socket.socket, app: ASGIApp) -> None:
    """Answer on that socket until the process is told to stop (SIGINT or SIGTERM)."""
    logging.getLogger("uvicorn.error").addFilter(_is_no_cut)
    with suppress(KeyboardInterrupt):
        uvicorn.Server(_config(app)).run(sockets=[listener])


@asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[str]:
    """An application on a free port of this machine; yields its address, such as `http://127.0.0.1:40123`."""
    listener = listen(_LOCAL, 0)
    server = uvicorn.Server(_config(app))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://{_LOCAL}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        server.force_exit = True
        await serving


def _is_no_cut(record: logging.LogRecord) -> bool:
    """An answer that was cut off was meant to be."""
    return "without completing response" not in record.getMessage()


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(app, access_log=False, log_level="warning", lifespan="off")
