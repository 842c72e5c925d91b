"""
What the words of XPM's relationships mean at a practice.

As usual (`directions.STANDARD`), unless the importer's setting says otherwise, unless the practice itself has corrected
it. Corrections are kept in Postgres, each with who made it and when; imports go by them within seconds.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from services.importer.xpm.directions import STANDARD, Direction, Directions, corrected, folded
from worker import queries

if TYPE_CHECKING:
    from asyncpg import Record

    from services.importer.connecting.store import Anywhere

QUERIES = queries.load("services.importer", "wording.sql")
KNOWN_FOR_SECONDS = 5.0
"""For so long a process goes by what it has read: a thousand imports at once need not ask for each."""

Words = Callable[[str], Awaitable[Directions]]
"""How to read the words of a tenant's practice."""
Origin = Literal["standard", "setting", "practice"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a word means, whose word that is, and of a practice's own who said so and when."""

    word: str
    direction: Direction
    origin: Origin
    changed_by: str | None = None
    changed_at: datetime | None = None


class Wording:
    """The words of all practices; `settings` are the corrections that the environment gives, by tenant."""

    def __init__(self, database: "Anywhere", settings: Mapping[str, Directions]) -> None:
        self._database = database
        self._settings = {tenant: corrected(own, {}) for tenant, own in settings.items()}
        self._known: dict[str, tuple[float, Directions]] = {}

    async def table(self, tenant_id: str) -> Directions:
        """How to read the words of the tenant's practice, as it was at most `KNOWN_FOR_SECONDS` ago."""
        until, table = self._known.get(tenant_id, (0.0, STANDARD))
        if time.monotonic() >= until:
            table = {each.word: each.direction for each in await self.meanings(tenant_id)}
            self._known[tenant_id] = time.monotonic() + KNOWN_FOR_SECONDS, table
        return table

    async def meanings(self, tenant_id: str) -> list[Meaning]:
        """Every word that is known, in order."""
        given = self._settings.get(tenant_id, {})
        own = {each.word: each for each in await self._corrections(tenant_id)}
        known = {word: Meaning(word, meaning, "standard") for word, meaning in STANDARD.items()}
        known |= {word: Meaning(word, meaning, "setting") for word, meaning in given.items()}
        return sorted((known | own).values(), key=lambda each: each.word)

    async def correct(self, tenant_id: str, meanings: Directions, changed_by: str) -> None:
        """From now on the practice means these words so."""
        texts = [meaning.model_dump_json() for meaning in meanings.values()]
        await self._change(tenant_id, list(map(folded, meanings)), texts, changed_by)

    async def restore(self, tenant_id: str, words: Iterable[str], changed_by: str) -> list[str]:
        """These words mean what they usually do again. Returns those that had been corrected."""
        own = {each.word for each in await self._corrections(tenant_id)}
        words = [word for word in dict.fromkeys(map(folded, words)) if word in own]
        await self._change(tenant_id, words, [None] * len(words), changed_by)
        return words

    async def _corrections(self, tenant_id: str) -> list[Meaning]:
        rows: list[Record] = await self._database.fetch(QUERIES.corrections, tenant_id)
        return [
            Meaning(
                row["word"],
                Direction.model_validate_json(row["meaning"]),
                "practice",
                row["changed_by"],
                row["changed_at"],
            )
            for row in rows
            if row["meaning"] is not None
        ]

    async def _change(
        self, tenant_id: str, words: Sequence[str], meanings: Sequence[str | None], changed_by: str
    ) -> None:
        if words:
            await self._database.execute(QUERIES.correct, tenant_id, words, meanings, changed_by)
            self._known.pop(tenant_id, None)
