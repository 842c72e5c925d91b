"""A stream of server-sent events: one tenant's progress, from where the client was or from a full snapshot.

A stream is nothing but a place in `muster.progress`. Before it come the events that were told, or a snapshot that
contains them; what follows it is taken from the window in memory, or from Kafka where the window no longer reaches.
"""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import orjson
import structlog
from aiokafka.errors import KafkaError
from starlette.responses import StreamingResponse
from starlette.types import Message, Send

from services.notifier import metrics
from services.notifier.access import Bearer
from services.notifier.catchup import CatchUp, Forgotten
from services.notifier.reads import Reads
from services.notifier.tail import Tail
from services.notifier.telling import StreamId, Told, frame, one_line
from services.notifier.window import Fallen
from worker.failures import describe
from worker.problems import Problem

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 15.0
SEND_SECONDS = 30.0
"""How long a client may take nothing before it is cut off; it resumes when it comes back."""
RETRY = b"retry: 1000\n\n"
OVER = b'event: over\ndata: {"why":"token_expired"}\n\n'
NEXT_ROW = ",\ndata: "

_STREAM_ID = re.compile(r"(?P<partition>[0-9]{1,9})-(?P<offset>-1|[0-9]{1,18})")


class Streams:
    """Opens streams."""

    def __init__(self, reads: Reads, tail: Tail, catch_up: CatchUp) -> None:
        self._reads = reads
        self._tail = tail
        self._catch_up = catch_up

    def open(self, bearer: Bearer, last_event_id: str | None) -> "EventStream":
        """A stream that goes on behind the id, or begins with a snapshot, for as long as the token is good.

        It is never refused: a browser that is answered with an error does not come back by itself.
        """
        return EventStream(self._frames(bearer, last_event_id or None))

    async def _frames(self, bearer: Bearer, last_event_id: str | None) -> AsyncGenerator[bytes, None]:
        """Everything that is sent, until the token is over or trouble comes; the client comes back with its last id."""
        yield RETRY
        while not await _within(_pause(bearer.until), self._tail.begun):
            if _is_over(bearer.until):
                yield OVER
                return
            yield b": heartbeat\n\n"
        stream = _Stream(bearer, self._reads, self._tail, self._catch_up)
        try:
            async with aclosing(stream.frames(last_event_id)) as frames:
                async for each in frames:
                    yield each
        except (Problem, KafkaError, OSError, TimeoutError) as error:
            log.warning("stream_broke_off", error=describe(error))


class EventStream(StreamingResponse):
    """The response. Nothing piles up for a client that does not read: the next event is made when one was taken."""

    def __init__(self, frames: AsyncGenerator[bytes, None]) -> None:
        super().__init__(
            frames,
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
            media_type="text/event-stream",
        )
        self._frames = frames

    async def stream_response(self, send: Send) -> None:
        async def timely(message: Message) -> None:
            async with asyncio.timeout(SEND_SECONDS):
                await send(message)

        with metrics.STREAMS.track_inprogress():
            async with aclosing(self._frames):
                try:
                    await super().stream_response(timely)
                except TimeoutError:
                    log.info("stream_too_slow")


class _Stream:
    """Where one client is: every event before `position` was told or is in the snapshot that it was sent."""

    def __init__(self, bearer: Bearer, reads: Reads, tail: Tail, catch_up: CatchUp) -> None:
        self._tenant_id, self._until = bearer
        self._partition = tail.partition(self._tenant_id)
        self._reads = reads
        self._tail = tail
        self._catch_up = catch_up
        self._position = 0
        self._in_snapshot: dict[tuple[str, str], int] = {}

    async def frames(self, last_event_id: str | None) -> AsyncGenerator[bytes, None]:
        """Its beginning, then whatever is new. Raises what the database and Kafka raise."""
        async for each in self._beginning(last_event_id):
            yield each
        with self._tail.listening(self._tenant_id) as news:
            while not self._tail.is_over:
                if _is_over(self._until):
                    yield OVER
                    return
                async for each in self._new(news):
                    yield each

    async def _beginning(self, last_event_id: str | None) -> AsyncGenerator[bytes, None]:
        if last_event_id is None:
            async for each in self._snapshot():
                yield each
            return
        try:
            self._position = _position(last_event_id, self._partition)
        except Forgotten as forgotten:
            async for each in self._anew(forgotten):
                yield each

    async def _new(self, news: asyncio.Event) -> AsyncGenerator[bytes, None]:
        """What has come since, or a heartbeat if nothing has for a while."""
        news.clear()
        try:
            events, position = await self._since()
        except Forgotten as forgotten:
            async for each in self._anew(forgotten):
                yield each
            return
        for event in events:
            if self._is_to_be_told(event):
                yield event.frame
        self._position = position
        if position >= self._tail.window(self._partition).position:
            self._in_snapshot.clear()
            if not await _within(_pause(self._until), news):
                yield self._heartbeat()

    async def _since(self) -> tuple[list[Told], int]:
        window = self._tail.window(self._partition)
        if self._position > window.position:
            await self._catch_up.check(self._partition, self._position)
            return [], self._position
        try:
            return window.since(self._tenant_id, self._position), window.position
        except Fallen:
            return await self._catch_up.read(
                self._tenant_id, self._partition, self._position, window.position
            )

    def _is_to_be_told(self, event: Told) -> bool:
        return _now() < event.tell_until and event.version > self._in_snapshot.get(
            (event.kind, event.row_id), 0
        )

    async def _anew(self, forgotten: Forgotten) -> AsyncGenerator[bytes, None]:
        metrics.RESETS.labels(forgotten.why).inc()
        yield frame("reset", orjson.dumps({"why": forgotten.why}).decode())
        async for each in self._snapshot():
            yield each

    async def _snapshot(self) -> AsyncGenerator[bytes, None]:
        """All visible rows as one event, sent page by page; its id is the place before the first page was read.

        Whatever was published before that place was committed before, so the rows contain it.
        """
        self._position = self._tail.window(self._partition).position
        yield f'{self._id_line()}event: snapshot\ndata: {{"rows":[\n'.encode()
        comma = ""
        async for rows in self._pages():
            if rows:
                yield f"data: {comma}{NEXT_ROW.join(map(one_line, rows))}\n".encode()
                comma = ","
        yield b"data: ]}\n\n"

    async def _pages(self) -> AsyncGenerator[Sequence[str], None]:
        after = None
        while True:
            page = await self._reads.page(self._tenant_id, after=after)
            for row in map(orjson.loads, page.rows):
                self._in_snapshot[row["kind"], row["row_id"]] = row["version"]
            yield page.rows
            if page.last is None:
                return
            after = page.last

    def _heartbeat(self) -> bytes:
        """A comment; with it the client's last id moves on, so that it need not be caught up from long ago."""
        return f"{self._id_line()}: heartbeat\n\n".encode()

    def _id_line(self) -> str:
        """Before the partition's first event that is `3--1`: offset -1, behind which everything comes."""
        return f"id: {StreamId(self._partition, self._position - 1)}\n"


def _position(last_event_id: str, partition: int) -> int:
    """The place behind an event. Raises `Forgotten` for an id that is not one of the partition's."""
    match = _STREAM_ID.fullmatch(last_event_id)
    if match is None:
        raise Forgotten("malformed")
    if int(match["partition"]) != partition:
        raise Forgotten("other_partition")
    return int(match["offset"]) + 1


def _is_over(until: float) -> bool:
    return time.time() >= until


def _pause(until: float) -> float:
    """How long to wait in silence."""
    return max(0.0, min(HEARTBEAT_SECONDS, until - time.time()))


async def _within(seconds: float, news: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await news.wait()
    except TimeoutError:
        return False


def _now() -> int:
    return time.time_ns() // 1_000_000
