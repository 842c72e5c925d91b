"""What readers see: their tenant, the 72 hours, and the page that they ask for."""

from datetime import timedelta

import asyncpg
import pytest

from services.notifier.reads import Filters, Reads
from services.notifier.store import instant
from tests.support.watching.story import client_added, connection, outcome, request, run
from tests.support.watching.tables import DAY, Tables, listed, now

PUT = (
    "INSERT INTO notifier.progress (tenant_id, kind, row_id, requested_at, status, request_seen, reviewable, shown) "
    "VALUES ('practice', 'import', $1, now() - interval '72 hours' + $2::interval, 'queued', true, 0, '{}')"
)


async def test_the_edge_of_72_hours_is_exact(database: str, tables: Tables) -> None:
    """A row is seen as long as less than 72 hours have passed, and at 72 hours not any more."""
    await tables.apply(request("makes-the-partition", at=now() - 3 * DAY + 60_000))
    connection = await asyncpg.connect(database)
    async with connection.transaction():
        await connection.execute(PUT, "at-the-edge", timedelta())
        await connection.execute(PUT, "just-within", timedelta(milliseconds=1))
        await connection.execute("SET LOCAL ROLE muster_reader; SET LOCAL muster.tenant_id = 'practice'")
        seen = await connection.fetch("SELECT row_id FROM notifier.visible_progress WHERE shown::text = '{}'")
    await connection.close()

    assert [row["row_id"] for row in seen] == ["just-within"]


async def test_readers_see_the_tenant_that_their_transaction_names(database: str, tables: Tables) -> None:
    """Row-level security holds on the view and on the table under it; with no tenant named there is nothing."""
    await tables.apply(request("i1", at=now(), tenant="birch"), request("i2", at=now(), tenant="cedar"))
    connection = await asyncpg.connect(database, server_settings={"role": "muster_reader"})

    async def seen(table: str, tenant: str | None) -> list[str]:
        async with connection.transaction():
            if tenant is not None:
                await connection.execute("SELECT set_config('muster.tenant_id', $1, true)", tenant)
            return [row["row_id"] for row in await connection.fetch(f"SELECT row_id FROM notifier.{table}")]

    for table in ("progress", "visible_progress"):
        assert await seen(table, None) == []
        assert await seen(table, "birch") == ["i1"]
        assert await seen(table, None) == []
        assert await seen(table, "nobody") == []
    await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM notifier.snapshots",
        "SELECT * FROM notifier.tenants",
        "SELECT * FROM notifier.positions",
        "DELETE FROM notifier.progress",
        "UPDATE notifier.progress SET status = 'failed'",
        "SELECT notifier.drop_partitions(now())",
        "SELECT notifier.add_partitions(current_date)",
    ],
)
async def test_readers_can_do_nothing_else(database: str, statement: str) -> None:
    """The readers' role reads rows, and has no other right."""
    connection = await asyncpg.connect(database, server_settings={"role": "muster_reader"})
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement)
    await connection.close()


async def test_the_list_is_newest_first_and_page_by_page(tables: Tables, reads: Reads) -> None:
    """Pages follow each other without gap or repetition, also among rows of one instant, while new rows arrive."""
    at = now() - 1000
    await tables.apply(*(request(f"i{number:02}", at=at + number // 4) for number in range(23)))
    seen: list[str] = []
    page = await reads.page("practice", limit=5)
    seen += page.rows
    await tables.apply(request("newer", at=now()))
    while page.last is not None:
        page = await reads.page("practice", after=page.last, limit=5)
        assert len(page.rows) <= 5
        seen += page.rows

    assert len(seen) == len(set(seen)) == 23
    assert seen == sorted(seen, key=lambda row: row[row.index('"requested_at"') :], reverse=True)


async def test_the_list_can_be_filtered(tables: Tables, reads: Reads) -> None:
    """By client, by several statuses, by kind, and by when it was requested."""
    at = now() - 60_000
    await tables.apply(
        request("i1", at=at, client_id="oak", bulk="b"),
        request("i2", at=at + 1000, client_id="elm"),
        outcome(5, run("i2", "completed", requested_at=at + 1000), at=at + 2000, client_id="elm"),
        connection(6, "connected", at=at + 3000, record_id="c1"),
        client_added(7, at=at + 4000, record_id="a1", client_id="oak"),
    )

    assert await listed(reads) == ["a1", "c1", "i2", "i1", "b"]
    assert await listed(reads, filters=Filters(client_id="oak")) == ["a1", "i1"]
    assert await listed(reads, filters=Filters(statuses=["queued"])) == ["i1", "b"]
    assert await listed(reads, filters=Filters(statuses=["queued", "completed"], kinds=["import"])) == [
        "i2",
        "i1",
    ]
    assert await listed(reads, filters=Filters(since=instant(at + 1000), until=instant(at + 4000))) == [
        "c1",
        "i2",
    ]
    assert await listed(reads, tenant="nobody") == []


async def test_one_row_is_found_by_its_kind_and_id(tables: Tables, reads: Reads) -> None:
    """Of this tenant only."""
    await tables.apply(request("i1", at=now()))

    assert '"row_id":"i1"' in (await reads.row("practice", "import", "i1") or "")
    assert await reads.row("practice", "connection", "i1") is None
    assert await reads.row("other", "import", "i1") is None
