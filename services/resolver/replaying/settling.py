"""Bringing another generation to where the live one stands, and what differs there.

The whole comparison takes a while and holds nobody up: it looks at one snapshot of the database. Whatever has come
since is settled in steps that get ever smaller, the last of them under the locks of a swap.
"""

from collections.abc import Mapping, Sequence

from services.resolver import store
from services.resolver.domain.mentions import Key, Mentions
from services.resolver.generations import ROLE, Generation
from services.resolver.replaying.answering import Answers
from services.resolver.replaying.comparing import KEYS, Comparison
from services.resolver.replaying.crew import Order
from services.resolver.replaying.folding import Folder, Numbers
from services.resolver.replaying.journal import Journal
from services.resolver.replaying.letters import Letters
from worker import queries
from worker.differences import Example
from worker.projection import Database
from worker.watching import Watcher

ROUNDS = 5
RECORDS_UNDER_LOCKS = 100
BEGINNING: Mapping[int, int] = {}

QUERIES = queries.load("services.resolver.replaying", "swapping.sql")


class Settling:
    """`here` is live, `there` the generation beside it; `swap` is the number that a swap would have.

    `compared_to` is how far both were compared, per partition.
    """

    def __init__(
        self,
        database: Database,
        journal: Journal,
        order: Order,
        here: Generation,
        there: Generation,
        swap: int,
    ) -> None:
        self.database = database
        self.here = here
        self.there = there
        self.swap = swap
        self.comparison = Comparison(database, here.schema, there.schema)
        self.answers = Answers(database, here.schema, there.schema, order.settings.journal_partitions)
        self.compared_to: dict[int, int] = {}
        self._letters: Letters | None = None
        self._journal = journal
        self._order = order
        self._last_swaps = {each: max(since for since, _ in some) for each, some in order.offsets.items()}
        self._folder = Folder(database, journal, order.positions, Numbers(order.offsets), lambda *_: None)

    async def compare(
        self, watcher: Watcher, tenant_id: str | None = None, since: Mapping[int, int] = BEGINNING
    ) -> None:
        """Compare everything, at the place where the live generation stands, in one snapshot of the database.

        Of what records came to, only those from `since` on: they never change.
        """
        only = self._order.until if tenant_id is not None else None
        async with self.database.transaction(isolation="repeatable_read"):
            places = await self._places()
            await self._work_there()
            await self._catch_up(places, only)
            await self.comparison.start()
            await self.answers.start()
            wanted = sorted(only if only is not None else places)
            with watcher.progress("Comparing", len(KEYS) + len(wanted), unit="parts") as steps:
                for table in KEYS:
                    await self.comparison.entities(table, tenant_id)
                    steps.advance()
                for partition in wanted:
                    start = since.get(partition, 0)
                    await self._compare_decisions(partition, start, places[partition], tenant_id)
                    steps.advance()
            await self.answers.add_states()
            await self.comparison.index()
            await self._leave()
        self.compared_to = places

    async def compare_as_it_was(
        self, watcher: Watcher, until: Mapping[int, int], tenant_id: str | None
    ) -> None:
        """Compare a generation that ends earlier with the present one."""
        async with self.database.transaction(isolation="repeatable_read"):
            await self._work_there()
            await self.comparison.start()
            with watcher.progress("Comparing", len(KEYS) + len(until), unit="parts") as steps:
                for table in KEYS:
                    await self.comparison.entities(table, tenant_id)
                    steps.advance()
                for partition, end in until.items():
                    await self.comparison.decisions(partition, 0, end, tenant_id)
                    steps.advance()
            await self._leave()

    async def keep_letters(self, letters: Letters) -> None:
        """From here on keep what the other generation can't process: of what was compared, and of what is settled."""
        self._letters = letters
        for partition, end in self.compared_to.items():
            await letters.keep(self.here.schema, self.there.schema, partition, 0, end)

    async def come_closer(self) -> None:
        """Settle without holding anybody up, until there is little left to settle under the locks."""
        for _ in range(ROUNDS):
            async with self.database.transaction(isolation="repeatable_read"):
                if await self.settle() <= RECORDS_UNDER_LOCKS:
                    return

    async def settle(self) -> int:
        """Look at what has come since both were compared, in a transaction; the number of its records."""
        places = await self._places()
        since = {each: self.compared_to.get(each, 0) for each in places}
        behind = {each: (since[each], end) for each, end in places.items() if since[each] < end}
        await self._work_there()
        clients = await self._touched(behind)
        await self._catch_up(places, None)
        clients |= await self._touched_by_now()
        if clients:
            await self.comparison.entities_of(clients)
        for partition, (start, end) in behind.items():
            await self._compare_decisions(partition, start, end, None)
            if self._letters is not None:
                await self._letters.keep(self.here.schema, self.there.schema, partition, start, end)
        if clients:
            await self.answers.replace_states(clients)
        await self._leave()
        self.compared_to = places
        return sum(end - start for start, end in behind.values())

    async def examples(
        self, table: str, tenants: Sequence[str], each: int, *, personal: bool
    ) -> list[Example]:
        """Some rows that differ; where a swap took place since, those that differed before it."""
        async with self.database.transaction():
            await self._work_there()
            found = await self.comparison.examples(table, tenants, each, personal=personal)
            await self._leave()
        return found

    async def planned(self) -> tuple[int, int]:
        """How many answers and states a swap would publish; none where that was not worked out."""
        return await self.answers.planned() if self.compared_to else (0, 0)

    async def _places(self) -> dict[int, int]:
        found = await self.database.fetch(QUERIES.here.replace("{here}", self.here.schema))
        return {row["partition"]: row["applied_to"] for row in found}

    async def _compare_decisions(self, partition: int, since: int, until: int, tenant_id: str | None) -> None:
        await self.comparison.decisions(partition, since, until, tenant_id)
        if since < self._last_swaps.get(partition, 0):
            await self.comparison.adopt_numbers(partition, since, min(until, self._last_swaps[partition]))
        await self.comparison.number_anew(partition, since, until, self.swap)
        await self.answers.add_answers(partition, since, until)

    async def _catch_up(self, places: Mapping[int, int], only: Mapping[int, int] | None) -> None:
        """Fold what the other generation lacks, in this very transaction."""
        found = await self.database.fetch(QUERIES.here.replace("{here}", self.there.schema))
        there = {row["partition"]: row["applied_to"] for row in found}
        tenant = self._order.tenant.encode() if self._order.tenant is not None else None
        for partition, end in places.items():
            if (only is None or partition in only) and there.get(partition, 0) < end:
                await self._folder.fold_in_batches(partition, there.get(partition, 0), end, tenant)

    async def _touched(self, behind: Mapping[int, tuple[int, int]]) -> set[Key]:
        """The clients that the records of these parts name, as both generations know them."""
        self._mentions = Mentions()
        for partition, (since, until) in behind.items():
            async for raws, _ in self._journal.pieces(partition, since, until):
                for raw in raws:
                    event = self._journal.record(raw).event
                    if event is not None:
                        self._mentions.note(event)
        return await self._touched_by_now()

    async def _touched_by_now(self) -> set[Key]:
        mentions = self._mentions
        clients = {(tenant_id, each) for tenant_id, named in mentions.of.items() for each in named.clients}
        for schema in (self.here.schema, self.there.schema):
            await self.database.execute(f"SET LOCAL search_path TO {schema}")
            clients |= await store.touched_clients(self.database, mentions)
        return clients

    async def _work_there(self) -> None:
        await self.database.execute(f"SET LOCAL ROLE {ROLE}")
        await self.database.execute(f"SET LOCAL search_path TO {self.there.schema}")

    async def _leave(self) -> None:
        await self.database.execute("SET LOCAL search_path TO DEFAULT")
        await self.database.execute("SET LOCAL ROLE NONE")
