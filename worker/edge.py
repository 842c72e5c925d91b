"""The HTTP edge of a process: uvicorn on a socket of our own, with the signals left to us."""

import asyncio
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

CLOSE_SECONDS = 3
"""After this long, requests that still run (streams never end by themselves) are cut off."""


TICKS_A_SECOND = 10
"""As uvicorn counts them: at every tenth it writes the header with the time anew."""


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._closing = asyncio.Event()

    def close(self) -> None:
        self.should_exit = True
        self._closing.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        """Until it is closed. Uvicorn's own looks ten times a second, a tenth of what an idle process does."""
        while not await self.on_tick(TICKS_A_SECOND):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), 1)


class Edge:
    """Serves routes until it is closed."""

    def __init__(self, host: str, port: int, routes: Sequence[BaseRoute]) -> None:
        self._socket = _listen(host, port)
        self._server = _Uvicorn(
            uvicorn.Config(
                Starlette(routes=list(routes)),
                log_config=None,
                access_log=False,  # paths and queries may hold what a person typed
                lifespan="off",
                timeout_graceful_shutdown=CLOSE_SECONDS,
            )
        )

    @property
    def address(self) -> str:
        """Where it can be reached, with the port that was taken."""
        host, port = self._socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def serve(self) -> None:
        """Serve until `close`."""
        await self._server.serve(sockets=[self._socket])

    def close(self) -> None:
        self._server.close()


def _listen(host: str, port: int) -> socket.socket:
    """A socket that names its protocol: only then asyncio turns off Nagle's algorithm, by which the second piece of an
    answer waits for the first one's acknowledgement, 40 ms as a rule.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    listening.set_inheritable(False)
    return listening
