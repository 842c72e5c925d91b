"""What a swap has to publish: the answers that came out differently, and the states that differ at present.

It is worked out before the swap and put aside beside the generation's tables; under the locks only what has come since
is looked at again. A state has its version when it is published: that of the last record before the swap.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from services.resolver import rows
from services.resolver.domain import outcomes
from services.resolver.domain.mentions import Key
from services.resolver.replaying.comparing import KEYS
from worker import queries
from worker.projection import Database
from worker.routing import partition_of

QUERIES = queries.load("services.resolver.replaying", "answering.sql")
AT_ONCE = 2_000

Planned = tuple[str, str, int, str]
"""Tenant, client, partition, and the state as JSON."""


class Answers:
    """The table in which they stand; `here` and `there` are schemas."""

    def __init__(self, database: Database, here: str, there: str, partitions: int) -> None:
        self._database = database
        self._here = here
        self._there = there
        self._partitions = partitions

    async def start(self) -> None:
        """Forget what was worked out before."""
        await self._database.execute(self._text(QUERIES.start))

    async def add_answers(self, partition: int, since: int, until: int) -> None:
        """The answers of a part's records, as far as differences were noted and numbered anew."""
        await self._database.execute(self._text(QUERIES.add_answers), partition, since, until)

    async def add_states(self) -> None:
        """The states that differ, of all clients."""
        await self._add(None)

    async def replace_states(self, clients: Iterable[Key]) -> None:
        """The states of some clients, as they differ by now."""
        tenants, ids = zip(*sorted(clients), strict=True)
        await self._database.execute(self._text(QUERIES.forget_states), list(tenants), list(ids))
        await self._add((list(tenants), list(ids)))

    async def planned(self) -> tuple[int, int]:
        """How many answers and states there are."""
        row = await self._database.fetchrow(self._text(QUERIES.planned))
        assert row is not None
        return row["answers"], row["states"]

    async def _add(self, clients: tuple[Sequence[str], Sequence[str]] | None) -> None:
        """Imports last: what a reader sums up by then knows its items."""
        for table in _ENTRIES:
            (key,) = KEYS[table]
            for gone in (False, True):
                side = self._here if gone else self._there
                text = self._text(QUERIES.present, side=side, table=table, key=key)
                pending: list[Planned] = []
                async for row in self._database.cursor(
                    text, gone, *(clients or (None, None)), prefetch=AT_ONCE
                ):
                    pending.append(self._planned(table, row, gone=gone))
                    if len(pending) == AT_ONCE:
                        await self._put(pending)
                        pending = []
                await self._put(pending)

    def _planned(self, table: str, row: Any, *, gone: bool) -> Planned:
        tenant_id, client_id = row["tenant_id"], row["client_id"]
        entry = _ENTRIES[table]([row[column] for column in rows.COLUMNS[table]])
        state = outcomes.state(client_id, row["client_name"], entry, gone=gone)
        partition = partition_of(tenant_id.encode(), self._partitions)
        return tenant_id, client_id, partition, orjson.dumps(state).decode()

    async def _put(self, planned: Sequence[Planned]) -> None:
        if planned:
            columns = map(list, zip(*planned, strict=True))
            await self._database.execute(self._text(QUERIES.add_states), *columns)

    def _text(self, text: str, **parts: str) -> str:
        for name, part in {"here": self._here, "there": self._there, **parts}.items():
            text = text.replace(f"{{{name}}}", part)
        return text


_ENTRIES: Mapping[str, Any] = {"members": rows.member, "items": rows.item, "imports": rows.import_}
"""In the order in which they are told."""
