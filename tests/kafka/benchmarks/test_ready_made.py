"""What the ceilings write without a rule is, row by row, what `muster replay` writes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from benchmarks import drains, ready_made, ready_made_replay
from benchmarks.filling import fill
from benchmarks.place import Place, emptied, fresh_place
from benchmarks.usage import Servers
from services.resolver.replaying.comparing import checksums
from stack.settings import Addresses

RECORDS = 2 * ready_made.AT_ONCE
NOBODY = Servers(None, None)


async def test_the_rows_are_those_of_a_replay(
    kafka_address: str, postgres_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    written = {}
    for module, schema in (
        (drains, "resolver_g2"),
        (ready_made, "resolver_g1"),
        (ready_made_replay, "resolver_g2"),
    ):
        monkeypatch.setattr(module, "emptied", _looked_at(written, module.__name__, schema))
    async with fresh_place(Addresses(kafka_address, postgres_dsn), tmp_path) as place:
        filled = await fill(place, RECORDS, tenants=20)
        await drains.replay(place, filled, NOBODY)
        alone = await ready_made.rate(place, RECORDS, NOBODY)
        async with ready_made_replay.crew(place) as crew:
            together = await crew.rate(place, NOBODY)
    replayed = written.pop(drains.__name__)
    assert replayed["decisions"][0] == RECORDS
    assert list(written.values()) == [replayed, replayed]
    assert min(alone.rules_per_record, together.rules_per_record) > 0


def _looked_at(written, name, schema):
    """An empty database whose tables are summed up before it is dropped."""

    @asynccontextmanager
    async def looked_at(place: Place) -> AsyncIterator[Place]:
        async with emptied(place) as here:
            yield here
            database = await asyncpg.connect(here.dsn)
            written[name] = await checksums(database, schema)
            await database.close()

    return looked_at
