"""A caller of the portal's API: one practice's backend job, with a token of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.support.eventually import eventually
from worker.tokens import DEMO_KEY, PORTAL, Tokens

Answer = dict[str, Any]
WAIT = {"wait": 10}


def token_of(tenant_id: str, role: str = "staff") -> str:
    return Tokens(DEMO_KEY).make(
        tenant_id, PORTAL, 3600, name="Anna Lindqvist", role=role, practice="Oak & Co"
    )


@asynccontextmanager
async def calling(address: str, tenant_id: str, role: str = "staff") -> AsyncIterator[httpx.AsyncClient]:
    """Call as somebody of a practice."""
    headers = {"Authorization": f"Bearer {token_of(tenant_id, role)}"}
    async with httpx.AsyncClient(base_url=f"{address}/api", headers=headers, timeout=30) as http:
        yield http


async def got(http: httpx.AsyncClient, path: str, **params: Any) -> Answer:
    """What a path answers. Raises `httpx.HTTPStatusError`."""
    answer = await http.get(path, params=params)
    answer.raise_for_status()
    found: Answer = answer.json()
    return found


async def items_of(http: httpx.AsyncClient, client_id: str, wanted: int) -> list[Answer]:
    """What waits for a decision, as soon as it is so many."""

    async def listed() -> list[Answer] | None:
        items: list[Answer] = (await got(http, f"/clients/{client_id}/items"))["items"]
        return items if len(items) == wanted else None

    return await eventually(listed, timeout=30) or []
