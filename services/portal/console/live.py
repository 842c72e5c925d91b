"""Pages that are open are told what has changed, and look for themselves."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Send

from services.portal.news import News
from services.portal.people import Person
from services.portal.portal import Portal, portal_of, reader
from services.portal.sessions import last_words, seconds_left, until_over

HEARTBEAT_SECONDS = 15.0
SEND_SECONDS = 30.0
"""How long a browser may take nothing before it is cut off; it comes back by itself."""
AT_MOST_EVERY_SECONDS = 0.25
"""What comes within this time is told as one."""
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def routes() -> list[Route]:
    return [Route("/live", _live)]


async def _live(request: Request) -> Response:
    person, portal = reader(request), portal_of(request)
    return EventStream(_while_signed_in(portal, person))


async def _while_signed_in(portal: Portal, person: Person) -> AsyncGenerator[bytes, None]:
    with portal.sessions.stream(person) as over:
        changes = _changes(portal.news, person.tenant_id, seconds_left(person))
        async with aclosing(until_over(changes, over)) as frames:
            async for each in frames:
                yield each


async def _changes(news: News, tenant_id: str, seconds: float) -> AsyncGenerator[bytes, None]:
    """A line for each change, as words; a browser that comes back is told to look at everything."""
    end = time.monotonic() + seconds
    with news.watching(tenant_id) as watcher:
        yield b'retry: 1000\n\nevent: changed\ndata: ["everything"]\n\n'
        while (left := end - time.monotonic()) > 0:
            changed = await watcher.changed(min(HEARTBEAT_SECONDS, left))
            if changed:
                yield b"event: changed\ndata: " + orjson.dumps(sorted(changed)) + b"\n\n"
                await asyncio.sleep(AT_MOST_EVERY_SECONDS)
            else:
                yield b": heartbeat\n\n"
    yield last_words("renew")


class EventStream(StreamingResponse):
    """Server-sent events. A browser that does not read is cut off, and nothing piles up for it meanwhile."""

    def __init__(self, frames: AsyncGenerator[bytes, None]) -> None:
        super().__init__(frames, headers=HEADERS, media_type="text/event-stream")
        self._frames = frames

    async def stream_response(self, send: Send) -> None:
        async def timely(message: Message) -> None:
            async with asyncio.timeout(SEND_SECONDS):
                await send(message)

        async with aclosing(self._frames):
            try:
                await super().stream_response(timely)
            except TimeoutError:
                return
