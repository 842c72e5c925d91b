"""Who may see progress: the bearer of a token for that tenant."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from services.notifier.access import Access
from services.notifier.reads import Reads
from services.notifier.routing import routes
from tests.support.tokens import as_reader_of
from tests.support.watching.story import request
from tests.support.watching.tables import Tables, now
from worker.tokens import DEMO_KEY, NOTIFIER, Tokens

PATHS = ("progress", "progress/import/i1", "progress/stream")


class NoStreams:
    """Whoever gets this far has been let in."""

    def open(self, tenant_id: str, last_event_id: str | None) -> httpx.Response:
        raise AssertionError((tenant_id, last_event_id))


@pytest.fixture
async def http(reads: Reads) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=routes(reads, NoStreams(), Access(Tokens(DEMO_KEY))))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notifier") as client:
        yield client


async def test_a_token_shows_its_own_tenant_and_no_other(tables: Tables, http: httpx.AsyncClient) -> None:
    """The same path, answered to the one and not to the other; a foreign tenant looks like no token at all."""
    await tables.apply(request("i1", at=now()), request("i1", at=now(), tenant="somebody-else"))

    own = await http.get("/tenants/practice/progress/import/i1", headers=as_reader_of("practice"))
    foreign = await http.get("/tenants/practice/progress/import/i1", headers=as_reader_of("somebody-else"))
    nobody = await http.get("/tenants/practice/progress/import/i1")

    assert own.status_code == 200
    assert (foreign.status_code, foreign.json()) == (401, nobody.json())
    assert foreign.headers["www-authenticate"] == 'Bearer realm="muster"'


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Basic cHJhY3RpY2U6"},
        as_reader_of("somebody-else"),
        as_reader_of("practic"),
        {"Authorization": f"Bearer {Tokens(DEMO_KEY).make('practice', 'muster-portal', 60)}"},
        {"Authorization": f"Bearer {Tokens(DEMO_KEY).make('practice', NOTIFIER, -5)}"},
    ],
)
async def test_without_a_good_token_nothing_is_told(
    http: httpx.AsyncClient, path: str, headers: dict
) -> None:
    """Neither the list nor a row nor a stream."""
    answer = await http.get(f"/tenants/practice/{path}", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
