"""A sandbox without quota that notes each call, in a process of its own: `python -m benchmarks.recorded_sandbox`.

`GET /recorded` gives what was called since it was last asked, in order; nothing of that is counted as a call.
"""

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass, field

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.app import sandbox_app
from sandbox.mix import Mix
from sandbox.seeded import seeded_practice
from sandbox.server import running
from sandbox.state import Sandbox, Tenancy

RELATIONSHIPS = 12
MIX = Mix(archived=3, deleted=0, dangling=1, ended=0, relationships=RELATIONSHIPS)
SEED = "importing"


def tenant(number: int) -> tuple[str, str]:
    """Xero's id of a practice, and the token that opens it."""
    return f"practice-{number}", f"token-{number}"


@dataclass
class Recording:
    """What was asked of the app, when the first call came (seconds since 1970), and how many ran at once at most."""

    app: ASGIApp
    calls: list[str] = field(default_factory=list)
    first_at: float | None = None
    now_running: int = 0
    at_once: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"] == "/recorded":
            await self._said()(scope, receive, send)
        else:
            await self._noted(scope, receive, send)

    async def _noted(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.first_at = self.first_at or time.time()
        self.calls.append(f"{scope['path']}?{scope['query_string'].decode()}")
        self.now_running += 1
        self.at_once = max(self.at_once, self.now_running)
        try:
            await self.app(scope, receive, send)
        finally:
            self.now_running -= 1

    def _said(self) -> JSONResponse:
        said = {"calls": self.calls, "first_at": self.first_at, "at_once": self.at_once}
        self.calls, self.first_at, self.at_once = [], None, 0
        return JSONResponse(said)


async def main(clients: int, practices: int) -> None:
    """Serve so many practices, all of them the same made-up clients; print the address, and stay until the end."""
    made_up = seeded_practice(SEED, clients * 3, MIX)
    state = Sandbox([Tenancy(*tenant(number), made_up) for number in range(practices)])
    async with running(Recording(sandbox_app(state))) as address:
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, required=True)
    parser.add_argument("--practices", type=int, required=True)
    asked = parser.parse_args()
    asyncio.run(main(asked.clients, asked.practices))
