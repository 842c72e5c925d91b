"""What imports replaced is found without reading everything that was ever decided."""

import asyncpg

from services.portal.reads import CHANGES_SHOWN, QUERIES


async def test_it_is_read_by_client(database: str) -> None:
    """However many decisions there are: by an index that holds those that replaced something, and no others."""
    connection = await asyncpg.connect(database)
    try:
        await connection.execute("SET enable_seqscan = off")
        plan = await connection.fetch(f"EXPLAIN {QUERIES.changes}", "practice", "oak", CHANGES_SHOWN)
    finally:
        await connection.close()

    said = "\n".join(row[0] for row in plan)
    assert "using decisions_that_replaced" in said
    assert "Sort" not in said
