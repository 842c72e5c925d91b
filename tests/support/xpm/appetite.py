"""
A process that reads a list over HTTP and says how much memory that took.

    python -m tests.support.xpm.appetite http://127.0.0.1:8400 TOKEN TENANT

Prints JSON: how many clients and bytes came, in how many seconds, and the resident memory in bytes, before and at most.
"""

import asyncio
import json
import resource
import sys
import time
from pathlib import Path
from resource import RUSAGE_SELF

import httpx

from services.importer.xpm.api import Xpm
from services.importer.xpm.calls import Access

_PAGE = resource.getpagesize()
_KILOBYTE = 1024


class Counted(httpx.AsyncHTTPTransport):
    """HTTP that knows how much came."""

    received = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)

        async def counted():
            async for piece in answer.stream:
                self.received += len(piece)
                yield piece

        return httpx.Response(
            answer.status_code, headers=answer.headers, content=counted(), extensions=answer.extensions
        )


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


async def main(url: str, token: str, tenant: str) -> None:
    transport = Counted()
    async with httpx.AsyncClient(transport=transport) as http:
        xpm = Xpm(http, Access(token, tenant, url))
        await xpm.search("warm up: whatever is loaded once is loaded now")
        before, began, clients = resident(), time.monotonic(), 0
        async for client in xpm.list_clients(detailed=True):
            clients += bool(client.xpm_client_id)
        told = {
            "clients": clients,
            "bytes": transport.received,
            "seconds": round(time.monotonic() - began, 2),
            "before": before,
            "most": resource.getrusage(RUSAGE_SELF).ru_maxrss * _KILOBYTE,
        }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
