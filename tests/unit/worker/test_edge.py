"""Answers over HTTP go out at once."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from sandbox.server import running
from worker.edge import Edge

REQUESTS = 40
"""At first a kernel acknowledges at once; later on it waits."""


async def page(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("a page")


@asynccontextmanager
async def of_a_service() -> AsyncIterator[str]:
    edge = Edge("127.0.0.1", 0, [Route("/", page)])
    serving = asyncio.create_task(edge.serve())
    try:
        yield edge.address
    finally:
        edge.close()
        await serving


@asynccontextmanager
async def of_the_sandbox() -> AsyncIterator[str]:
    async with running(Starlette(routes=[Route("/", page)])) as address:
        yield address


@pytest.mark.parametrize("served", [of_a_service, of_the_sandbox])
async def test_an_answer_does_not_wait_for_an_acknowledgement(served) -> None:  # type: ignore[no-untyped-def]
    """Neither head nor body is held back: that would take 40 ms for each on a connection that is kept."""
    times = []
    async with served() as address, httpx.AsyncClient() as http:
        for _ in range(REQUESTS):
            begun = time.perf_counter()
            await http.get(address)
            times.append(time.perf_counter() - begun)
    assert min(times[REQUESTS // 2 :]) < 0.03
