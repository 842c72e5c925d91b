"""A dashboard's side of a stream, strict about the format, that comes back with its last id."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from tests.support.tokens import as_reader_of


@dataclass(frozen=True)
class Heard:
    """One event as dispatched; `id` is the last id by then."""

    event: str
    id: str
    data: Any


@dataclass
class Dashboard:
    """Hears a tenant's stream; however often it is cut off, it goes on behind the last id that it heard."""

    tenant: str
    last_id: str = ""
    heard: list[Heard] = field(default_factory=list)
    heartbeats: int = 0
    connections: int = 0

    @property
    def path(self) -> str:
        return f"/tenants/{self.tenant}/progress/stream"

    async def listen(self, address: str, access: Mapping[str, str] | None = None) -> None:
        """Hear one connection to its end, or to the trouble that ends it. Raises `httpx.TransportError`."""
        headers = dict(access or as_reader_of(self.tenant)) | (
            {"Last-Event-ID": self.last_id} if self.last_id else {}
        )
        timeout = httpx.Timeout(5, read=60)
        async with (
            httpx.AsyncClient(base_url=address, timeout=timeout) as http,
            http.stream("GET", self.path, headers=headers) as response,
        ):
            if response.status_code != 200:
                return
            assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
            self.connections += 1
            await self.dispatch(lines_of(response.aiter_bytes()))

    @asynccontextmanager
    async def watching(self, address: str) -> AsyncIterator["Dashboard"]:
        """Listen in the background, again after each end."""
        task = asyncio.create_task(self._again_and_again(address))
        try:
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def of(self, event: str) -> list[Heard]:
        return [each for each in self.heard if each.event == event]

    async def _again_and_again(self, address: str) -> None:
        while True:
            with suppress(httpx.TransportError):
                await self.listen(address)
            await asyncio.sleep(0.1)

    async def dispatch(self, lines: AsyncIterator[str]) -> None:
        """Take in what a stream says, line by line, as the standard has it."""
        event, data, new_id, comment = "", list[str](), self.last_id, False
        async for line in lines:
            name, _, value = line.partition(": ") if ": " in line else line.partition(":")
            match name:
                case "event":
                    event = value
                case "data":
                    data.append(value)
                case "id":
                    new_id = value
                case "retry":
                    assert value.isdigit()
                case "" if line:
                    comment = True
                case "":
                    self.last_id = new_id
                    if data:
                        self.heard.append(Heard(event, new_id, orjson.loads("\n".join(data))))
                    self.heartbeats += comment
                    event, data, comment = "", [], False
                case _:
                    raise AssertionError(f"no field of an event: {line!r}")


async def lines_of(chunks: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """The lines of a stream; what stands behind the last line break is no line yet."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.decode()
