"""The list over HTTP, on a real Postgres."""

from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from schemas.progress import IntegrationProgressed
from services.notifier.access import Access
from services.notifier.catchup import CatchUp
from services.notifier.reads import Reads
from services.notifier.routing import routes
from services.notifier.store import day
from services.notifier.stream import Streams
from services.notifier.tail import Tail
from tests.support.tokens import as_reader_of
from tests.support.watching.story import connection, outcome, request, run
from tests.support.watching.tables import DAY, Tables, now
from worker.settings import Settings
from worker.tokens import DEMO_KEY, Tokens

LIST = "/tenants/practice/progress"


@pytest.fixture
async def http(database: str, reads: Reads) -> AsyncIterator[httpx.AsyncClient]:
    """The notifier's routes, with a tail that never began to read."""
    settings = Settings(postgres_dsn=SecretStr(database))
    access = Access(Tokens(DEMO_KEY))
    app = Starlette(routes=routes(reads, Streams(reads, Tail(settings), CatchUp(settings)), access))
    transport = httpx.ASGITransport(app)
    headers = as_reader_of("practice")
    async with httpx.AsyncClient(transport=transport, base_url="http://notifier", headers=headers) as client:
        yield client


async def test_rows_are_shown_as_they_are_published(tables: Tables, http: httpx.AsyncClient) -> None:
    """A row in the list is the data of its last event."""
    told = await tables.apply(request("i1", at=now(), name="Müller & Söhne"))
    answer = await http.get(LIST)

    assert answer.status_code == 200
    assert answer.json() == {"rows": told, "next": None}
    assert answer.headers["cache-control"] == "no-store"
    IntegrationProgressed.model_validate(answer.json()["rows"][0])


async def test_the_cursor_leads_through_the_list(tables: Tables, http: httpx.AsyncClient) -> None:
    """Following `next` until it is null shows every row once, newest first."""
    at = now() - 1000
    await tables.apply(*(request(f"i{number}", at=at + number) for number in range(7)))
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = (await http.get(LIST, params={"limit": 3, **({"cursor": cursor} if cursor else {})})).json()
        seen += [row["row_id"] for row in answer["rows"]]
        cursor = answer["next"]

    assert seen == [f"i{number}" for number in reversed(range(7))]


async def test_filters_come_as_parameters(tables: Tables, http: httpx.AsyncClient) -> None:
    """`status` and `kind` may be given several times; instants have an offset."""
    at = now() - 10_000
    await tables.apply(
        request("i1", at=at),
        outcome(5, run("i2", "completed", requested_at=at + 1), at=at + 5),
        connection(6, "disconnected", at=at + 7, record_id="c1"),
    )

    async def ids(**params: object) -> list[str]:
        answer = await http.get(LIST, params=params)
        return [row["row_id"] for row in answer.json()["rows"]]

    assert await ids(kind=["import"]) == ["i2", "i1"]
    assert await ids(status=["queued", "completed"]) == ["c1", "i2", "i1"]
    assert await ids(client_id="client", status="queued") == ["i1"]
    assert await ids(since="2999-01-01T00:00:00+02:00") == []
    assert await ids(until="2999-01-01T00:00:00Z") == ["c1", "i2", "i1"]


async def test_a_wrong_parameter_is_a_problem_400(http: httpx.AsyncClient) -> None:
    """Problem details say which parameter is wrong."""
    answer = await http.get(f"{LIST}?status=nonsense")
    problem = answer.json()

    assert answer.status_code == problem["status"] == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == "urn:muster:problem:invalid-parameters"
    assert [each["parameter"] for each in problem["errors"]] == ["status"]


async def test_a_row_is_found_by_its_path(tables: Tables, http: httpx.AsyncClient) -> None:
    """Ids may hold anything visible; what would be a border in a path is percent-encoded."""
    at = now()
    await tables.apply(request("a/b?c#d%e", at=at, tenant="the/practice"))
    path = "/tenants/the%2Fpractice/progress/import/a%2Fb%3Fc%23d%25e"
    answer = await http.get(path, headers=as_reader_of("the/practice"))

    assert answer.status_code == 200
    assert answer.json()["row_id"] == "a/b?c#d%e"


async def test_what_is_not_there_is_a_problem_404(tables: Tables, http: httpx.AsyncClient) -> None:
    """Neither row nor page: a problem document says so."""
    await tables.apply(request("i1", at=now()))
    for path in (
        f"{LIST}/import/unknown",
        f"{LIST}/nonsense/i1",
        f"{LIST}/import/%00",
        "/tenants/the/practice/progress",
        "/tenants/practice",
    ):
        answer = await http.get(path)

        assert (path, answer.status_code) == (path, 404)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == 404


async def test_a_row_that_is_over_is_not_there(tables: Tables, http: httpx.AsyncClient) -> None:
    """After 72 hours neither the list nor the row's own path shows it."""
    await tables.apply(request("i1", at=now()))
    await tables.database.execute("RESET ROLE")
    await tables.projection._make_room(tables.database, [day(now() - 3 * DAY)])
    await tables.database.execute("UPDATE progress SET requested_at = now() - interval '72 hours'")

    assert (await http.get(LIST)).json()["rows"] == []
    assert (await http.get(f"{LIST}/import/i1")).status_code == 404


async def test_only_reading_is_allowed(http: httpx.AsyncClient) -> None:
    """Anything but a read is refused, and said how."""
    answer = await http.post(LIST)

    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert answer.headers["content-type"] == "application/problem+json"


async def test_without_a_database_the_client_is_told_to_come_again(
    http: httpx.AsyncClient, reads: Reads
) -> None:
    """A passing trouble is a 503, not a bug."""
    await reads._pool.close()
    answer = await http.get(LIST)

    assert answer.status_code == 503
