"""How long a stream may go on for whoever opened it: until they sign out, their session ends, or it is renewed.

Who opens a stream is looked at once. So it ends by itself after a few minutes, and whoever comes back is looked at
again; after a sign-out in this process it ends at once.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager

import orjson

from services.portal.people import Person

RENEWED_AFTER_SECONDS = 300.0


class Sessions:
    """The streams that are open, by the session that they belong to."""

    def __init__(self) -> None:
        self._open: dict[str, set[asyncio.Event]] = {}

    def end(self, person: Person) -> None:
        """End the streams of a session that was signed out."""
        for over in self._open.get(person.session or "", ()):
            over.set()

    @contextmanager
    def stream(self, person: Person) -> Iterator[asyncio.Event]:
        """An event that is set when the person signs out."""
        over, key = asyncio.Event(), person.session or ""
        self._open.setdefault(key, set()).add(over)
        try:
            yield over
        finally:
            self._open[key].discard(over)
            if not self._open[key]:
                del self._open[key]


def seconds_left(person: Person) -> float:
    """How long a stream of theirs may go on before they have to show again who they are."""
    left = RENEWED_AFTER_SECONDS if person.until is None else person.until - time.time()
    return max(0.0, min(RENEWED_AFTER_SECONDS, left))


async def until_over(frames: AsyncGenerator[bytes, None], over: asyncio.Event) -> AsyncGenerator[bytes, None]:
    """The frames of a stream, until it ends or is over; it says so then."""
    ending = asyncio.create_task(over.wait())
    following = None
    try:
        while True:
            following = asyncio.ensure_future(anext(frames, None))
            await asyncio.wait({following, ending}, return_when=asyncio.FIRST_COMPLETED)
            if ending.done():
                yield last_words("signed_out")
                return
            frame = following.result()
            if frame is None:
                return
            yield frame
    finally:
        waited_for = {each for each in (ending, following) if each is not None and not each.done()}
        for each in waited_for:
            each.cancel()
        if waited_for:
            await asyncio.wait(waited_for)


def last_words(why: str) -> bytes:
    """What a stream says before it ends: whoever may, comes back."""
    return b"event: over\ndata: " + orjson.dumps({"why": why}) + b"\n\n"
