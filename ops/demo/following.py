"""Following integration progress as a dashboard does: over SSE, and again from where it was after a disconnect."""

import asyncio
from collections.abc import Callable

import httpx
from httpx_sse import aconnect_sse

from ops.demo.trust import certificates
from schemas.progress import IntegrationProgressed
from worker.tokens import NOTIFIER, Tokens

AGAIN_AFTER_SECONDS = 0.5
TOKEN_SECONDS = 3600
SILENCE_SECONDS = 60.0
"""Longer than the pause between two heartbeats."""

Tell = Callable[[IntegrationProgressed], None]


async def follow_progress(notifier: str, tenant_id: str, tokens: Tokens, tell: Tell) -> None:
    """Tell each new state of a row; runs until cancelled."""
    follower = Follower(tell)
    token = tokens.make(tenant_id, NOTIFIER, TOKEN_SECONDS)
    headers = {"Authorization": f"Bearer {token}"}
    timeout = httpx.Timeout(10, read=SILENCE_SECONDS)
    async with httpx.AsyncClient(
        base_url=notifier, headers=headers, timeout=timeout, verify=certificates()
    ) as http:
        while True:
            try:
                await follower.listen(http, f"/tenants/{tenant_id}/progress/stream")
            except httpx.TransportError:
                await asyncio.sleep(AGAIN_AFTER_SECONDS)


class Follower:
    """What a dashboard remembers: the last event's id, and the highest version of each row."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._last_event_id = ""
        self._versions: dict[tuple[str, str], int] = {}

    async def listen(self, http: httpx.AsyncClient, path: str) -> None:
        """Follow one connection to its end."""
        headers = {"Last-Event-ID": self._last_event_id} if self._last_event_id else {}
        async with aconnect_sse(http, "GET", path, headers=headers) as source:
            async for event in source.aiter_sse():
                self._last_event_id = event.id or self._last_event_id
                if event.event == "progress":
                    self._take(IntegrationProgressed.model_validate_json(event.data))

    def _take(self, row: IntegrationProgressed) -> None:
        key = (row.kind, row.row_id)
        if row.version > self._versions.get(key, 0):
            self._versions[key] = row.version
            self._tell(row)
