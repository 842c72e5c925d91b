"""A sandbox over real HTTP, and the client that is pointed at it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from sandbox import harbour
from sandbox.app import sandbox_app
from sandbox.quota import GENEROUS, Limits
from sandbox.server import running
from sandbox.state import Sandbox, harbour_tenancy, made_up_tenancy
from services.importer.xpm.api import Xpm
from services.importer.xpm.calls import Access


@dataclass(frozen=True)
class Running:
    """A sandbox that runs, with a browser's view of it (`http`) and its inside (`state`)."""

    url: str
    state: Sandbox
    http: httpx.AsyncClient

    def xpm(self, token: str = harbour.TOKEN, tenant: str = harbour.TENANT_ID) -> Xpm:
        return Xpm(self.http, Access(token, tenant, self.url))

    async def trouble(self, **fault: object) -> None:
        answer = await self.http.post(f"{self.url}/sandbox/faults", json=fault)
        answer.raise_for_status()

    def calls(self, method: str) -> int:
        return sum(number for called, number in self.state.calls.items() if called.method == method)

    def party(self, uuid: str, tenant: str = harbour.TENANT_ID) -> str:
        return f"{self.url}/sandbox/practices/{tenant}/parties/{uuid}"


@pytest.fixture
def limits() -> Limits:
    return GENEROUS


@pytest.fixture
def size() -> int:
    """Of the made-up practice."""
    return 250


@pytest.fixture
async def sandbox(limits, size) -> AsyncIterator[Running]:
    state = Sandbox([harbour_tenancy(), made_up_tenancy("contract", size, "made-up-contract")], limits)
    async with running(sandbox_app(state)) as url, httpx.AsyncClient() as http:
        yield Running(url, state, http)


@pytest.fixture
def xpm(sandbox) -> Xpm:
    return sandbox.xpm()
