"""What differs between the live generation (*here*) and another one (*there*), noted row by row in a table.

Rows are compared by hashes of their columns, so that little is moved; of decisions the outcome is compared without the
number of the swap under which it was told.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from services.resolver.domain.mentions import Key
from worker import queries
from worker.differences import Count, Example, columns_that_differ
from worker.projection import Database

QUERIES = queries.load("services.resolver.replaying", "comparing.sql")
DECISIONS = "decisions"
KEYS: Mapping[str, Sequence[str]] = {
    "clients": ("client_id",),
    "members": ("member_id",),
    "links": ("client_id", "xpm_party_id"),
    "items": ("item_id",),
    "imports": ("import_id",),
    "co_owner_emails": ("email",),
}
"""What names a row of a tenant."""
DECISION_KEY = ("partition", '"offset"', "ordinal")


class Comparison:
    """Compares the generation `there` with the live one, `here`; both are names of schemas."""

    def __init__(self, database: Database, here: str, there: str) -> None:
        self._database = database
        self._here = here
        self._there = there
        self._columns: dict[str, str] = {}

    async def start(self) -> None:
        """Forget what was noted before."""
        await self._database.execute(self._text(QUERIES.start))

    async def index(self) -> None:
        """Once everything was compared, and what is to be published was worked out."""
        await self._database.execute(self._text(QUERIES.index))

    async def entities(self, table: str, tenant_id: str | None = None) -> None:
        """Note what differs in a table, of all tenants or one."""
        await self._database.execute(await self._of_table(QUERIES.entities, table), table, tenant_id)

    async def entities_of(self, clients: Iterable[Key]) -> None:
        """Look again at what may have changed with some clients."""
        tenants, ids = zip(*sorted(clients), strict=True)
        touched = list(tenants), list(ids)
        await self._database.execute(self._text(QUERIES.forget_clients), *touched)
        for table in KEYS:
            text = await self._of_table(QUERIES.entities_of_clients, table)
            await self._database.execute(text, table, *touched)

    async def decisions(self, partition: int, since: int, until: int, tenant_id: str | None = None) -> None:
        """Note what differs in what the records of a part came to."""
        columns = await self._columns_of(DECISIONS)
        text = self._text(QUERIES.decisions, columns=columns)
        await self._database.execute(text, partition, since, until, tenant_id)

    async def adopt_numbers(self, partition: int, since: int, until: int) -> None:
        """Let answers that came out the same keep the number under which they were told."""
        await self._database.execute(self._text(QUERIES.adopt_numbers), partition, since, until)

    async def number_anew(self, partition: int, since: int, until: int, swap: int) -> None:
        """Let answers that came out differently have the number of the swap to come."""
        await self._database.execute(self._text(QUERIES.number_anew), partition, since, until, swap)

    async def counts(self) -> list[Count]:
        """How much differs, per table and tenant."""
        found: dict[tuple[str, str], dict[str, int]] = {}
        for row in await self._database.fetch(self._text(QUERIES.counts)):
            found.setdefault((row["table"], row["tenant_id"]), {})[row["kind"]] = row["rows"]
        return [Count(table, tenant_id, **kinds) for (table, tenant_id), kinds in found.items()]

    async def compared(self, tenant_id: str | None = None) -> dict[str, int]:
        """How many rows each table of the other generation has."""
        return {
            table: await self._database.fetchval(self._text(QUERIES.sizes, table=table), tenant_id)
            for table in (*KEYS, DECISIONS)
        }

    async def examples(
        self, table: str, tenants: Sequence[str], each: int, *, personal: bool
    ) -> list[Example]:
        """Some rows that differ, `each` of every tenant and kind; values about people are masked unless `personal`."""
        key = KEYS.get(table, DECISION_KEY)
        text = self._text(
            QUERIES.examples, table=table, is_here=_is_row("here", key), is_there=_is_row("there", key)
        )
        found = await self._database.fetch(text, table, each, list(tenants))
        return [
            Example(
                table,
                row["tenant_id"],
                _named(table, row["key"], personal=personal),
                row["kind"],
                columns_that_differ(_loaded(row["here"]), _loaded(row["there"]), personal=personal),
            )
            for row in found
        ]

    async def _of_table(self, text: str, table: str) -> str:
        key = KEYS[table]
        return self._text(
            text,
            table=table,
            key=", ".join(key),
            named=", ".join(dict.fromkeys(("tenant_id", "client_id", *key))),
            client="client_id" if "client_id" in key else "coalesce(there.client_id, here.client_id)",
            columns=await self._columns_of(table),
        )

    async def _columns_of(self, table: str) -> str:
        """Those that both generations have and that are compared as one; an outcome is compared by itself."""
        if table not in self._columns:
            names = [
                row["attname"]
                for row in await self._database.fetch(
                    QUERIES.columns, f"{self._here}.{table}", f"{self._there}.{table}"
                )
            ]
            self._columns[table] = ", ".join(f'"{name}"' for name in names if name != "outcome")
        return self._columns[table]

    def _text(self, text: str, **parts: str) -> str:
        for name, part in {"here": self._here, "there": self._there, **parts}.items():
            text = text.replace(f"{{{name}}}", part)
        return text


async def checksums(database: Database, schema: str) -> dict[str, tuple[int, str]]:
    """Rows and checksum of each table of a generation: a function of the journal and the rules, and of nothing else."""
    found: dict[str, tuple[int, str]] = {}
    for table in (*KEYS, DECISIONS):
        names = [row["attname"] for row in await database.fetch(QUERIES.columns, *[f"{schema}.{table}"] * 2)]
        columns = ", ".join(
            "resolver.with_swap(outcome, 0)" if each == "outcome" else f'"{each}"' for each in names
        )
        text = (
            QUERIES.checksums.replace("{there}", schema)
            .replace("{table}", table)
            .replace("{columns}", columns)
        )
        row = await database.fetchrow(text)
        assert row is not None
        found[table] = (row["rows"], str(row["checksum"]))
    return found


def _is_row(side: str, key: Sequence[str]) -> str:
    casts = {"partition": "::integer", '"offset"': "::bigint", "ordinal": "::integer"}
    return " AND ".join(
        f"{side}.{column} = chosen.key[{place}]{casts.get(column, '')}" for place, column in enumerate(key, 1)
    )


def _loaded(row: str | None) -> dict[str, Any] | None:
    return None if row is None else orjson.loads(row)


def _named(table: str, key: Sequence[str], *, personal: bool) -> Sequence[str]:
    return key if personal or table != "co_owner_emails" else ["(an e-mail)"]
